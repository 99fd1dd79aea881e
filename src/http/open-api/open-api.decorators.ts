import { ApiBearerAuth, ApiResponse, ApiSecurity } from '@nestjs/swagger';
import { httpErrorTable, statusOf, type HttpErrorCode, type HttpErrorTable } from '../http.errors.js';
import { errorAnswer, httpSchemas } from '../http.schemas.js';
import { schemaRef } from './open-api.js';

/** For routes that accept an API key but do not always require one. */
export const apiKeyAuth = () => [ApiBearerAuth(), ApiSecurity('X-API-Key'), ApiSecurity({})];

/**
 * Describes the error responses of a route: one for each status, with its codes.
 * @param table the codes of the module, in addition to those of the HTTP server
 */
export function errorResponses<Table extends HttpErrorTable>(
  table: Table,
  codes: readonly (HttpErrorCode | (keyof Table & string))[],
) {
  const rules: HttpErrorTable = { ...httpErrorTable, ...table };
  const byStatus = Map.groupBy(codes, (code) => statusOf(rules[code] ?? httpErrorTable.internal_error));
  return [...byStatus].map(([status, list]) =>
    ApiResponse({ status, description: list.join(', '), schema: schemaRef(httpSchemas, errorAnswer) }),
  );
}
