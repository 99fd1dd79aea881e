import { once } from 'node:events';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { readAuthorities } from '../../../tls/index.js';
import type { PulsarDriverOptions } from './pulsar.options.js';

export interface AdminResponse {
  readonly status: number | undefined;
  readonly body: string;
}

/**
 * Reads a resource of Pulsar's admin API, which has the same address as the WebSocket API. Rejects if there is no response in time.
 *
 * It does not use `fetch`, which accepts no certificate authorities other than those of the system.
 *
 * @param path below `/admin/v2/`
 */
export async function askAdmin(
  path: string,
  { serviceUrl, token, tlsCaFile, connectTimeoutMs }: PulsarDriverOptions,
  timeoutMs = connectTimeoutMs,
): Promise<AdminResponse> {
  const url = new URL(`${serviceUrl.replace(/^ws/, 'http').replace(/\/+$/, '')}/admin/v2/${path}`);
  const send = url.protocol === 'https:' ? secureRequest : plainRequest;
  const signal = AbortSignal.timeout(timeoutMs);
  const sent = send(url, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal,
    ...readAuthorities(tlsCaFile),
  }).end();
  const [response] = (await once(sent, 'response', { signal })) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}
