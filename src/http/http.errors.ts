import { CarillonError } from '../errors.js';

/** How errors with one code are reported over HTTP. */
export interface HttpErrorRule {
  readonly status: number;
  /** Replaces the error's own message if that could expose internals. The log has the details. */
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Codes with their statuses. Each module has one table and registers it with `HttpErrors`. */
export type HttpErrorTable = Readonly<Record<string, number | HttpErrorRule>>;

/**
 * The codes of the HTTP server itself. `docs/http-api.md` explains every code of every table; a spec compares them.
 */
export const httpErrorTable = {
  // The body
  empty_body: 400,
  invalid_json: 400,
  invalid_utf8: 400,
  json_too_deep: 400,
  invalid_body: 400,
  unknown_field: 400,
  body_too_large: 413,
  unsupported_media_type: 415,
  // The query
  unknown_parameter: 400,
  repeated_parameter: 400,
  conflicting_parameters: 400,
  invalid_limit: 400,
  invalid_cursor: 400,
  // The caller
  unauthorized: { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } },
  api_key_not_configured: 403,
  host_not_allowed: 403,
  untrusted_proxy: 403,
  rate_limited: 429,
  too_many_lists: { status: 429, headers: { 'Retry-After': '1' } },
  // HTTP itself
  malformed_request: 400,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  uri_too_long: 414,
  upgrade_required: 426,
  headers_too_large: 431,
  too_many_connections: 503,
  too_many_requests_in_flight: 503,
  internal_error: {
    status: 500,
    message: 'an internal error occurred: the log of the server has the details',
  },
} as const satisfies HttpErrorTable;

export type HttpErrorCode = keyof typeof httpErrorTable;

/** Returns a function that creates the base class for one code of the table, so that every error class has a status. */
export function errorClassesOf<Table extends HttpErrorTable>(_table: Table) {
  return <Code extends keyof Table & string>(code: Code) =>
    class extends CarillonError {
      readonly code = code;
    };
}

export function statusOf(rule: number | HttpErrorRule): number {
  return typeof rule === 'number' ? rule : rule.status;
}

const errorClass = errorClassesOf(httpErrorTable);

export class EmptyBodyError extends errorClass('empty_body') {}
export class InvalidJsonError extends errorClass('invalid_json') {}
export class InvalidUtf8Error extends errorClass('invalid_utf8') {}
export class JsonTooDeepError extends errorClass('json_too_deep') {}
export class InvalidBodyError extends errorClass('invalid_body') {}
export class UnknownFieldError extends errorClass('unknown_field') {}
export class UnsupportedMediaTypeError extends errorClass('unsupported_media_type') {}
export class UnknownParameterError extends errorClass('unknown_parameter') {}
export class RepeatedParameterError extends errorClass('repeated_parameter') {}
export class ConflictingParametersError extends errorClass('conflicting_parameters') {}
export class TooManyListsError extends errorClass('too_many_lists') {}
export class InvalidLimitError extends errorClass('invalid_limit') {}
export class InvalidCursorError extends errorClass('invalid_cursor') {}
export class UnauthorizedError extends errorClass('unauthorized') {}
export class UntrustedProxyError extends errorClass('untrusted_proxy') {}
export class ApiKeyNotConfiguredError extends errorClass('api_key_not_configured') {}

/** The same as for a path that does not exist. */
export class InternalRouteError extends errorClass('not_found') {}

export class RateLimitedError extends errorClass('rate_limited') {
  override readonly retryable = true;
  /** Sent with the response. */
  readonly headers: Readonly<Record<string, string>>;

  /** @param what of which there were too many */
  constructor(
    readonly retryAfterMs: number,
    what = 'requests without an API key',
  ) {
    const seconds = String(Math.ceil(retryAfterMs / 1000));
    super(`too many ${what} from this address: try again in ${seconds} s`);
    this.headers = { 'Retry-After': seconds };
  }
}

export class MethodNotAllowedError extends errorClass('method_not_allowed') {
  /** Sent with the response. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(method: string, allowed: readonly string[]) {
    super(`${method} is not supported by this path: use ${allowed.join(' or ')}`);
    this.headers = { Allow: allowed.join(', ') };
  }
}

/** The application was created with another HTTP adapter. */
export class HttpAdapterMissingError extends CarillonError {
  readonly code = 'http_adapter_missing';

  constructor(found: object | undefined) {
    const instead = found === undefined ? '' : `, not with ${found.constructor.name}`;
    super(
      `Carillon needs its own HTTP adapter: create the application with NestFactory.create(module, createHttpAdapter(options))${instead}`,
    );
  }
}
