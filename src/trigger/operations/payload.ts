import type { MessageFormat } from '../../message/index.js';
import { isJson } from '../../json/index.js';
import { ApiRefusal, apiFaults } from '../centrifugo-api/api.errors.js';

/** Bytes that were given as JSON or in base64. */
export interface Payload {
  readonly data: Buffer;
  readonly format: MessageFormat;
}

/**
 * The payload of a field that has a twin in base64, which wins. Undefined where there is neither.
 * @throws ApiRefusal when the twin is not base64
 */
export function payloadOf(json: Buffer | undefined, base64: string): Payload | undefined {
  if (base64 === '') return json === undefined ? undefined : { data: json, format: 'json' };
  const data = Buffer.from(base64, 'base64');
  if (data.toString('base64') !== base64) throw new ApiRefusal(apiFaults.badRequest);
  return { data, format: isJson(data) ? 'json' : 'binary' };
}
