import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from '../connection/refusals.js';

/** Responds to an upgrade request with the refusal, in the form of the HTTP API's errors, and closes the socket. */
export function refuseUpgrade(
  socket: Duplex,
  { status, code, message, retryable, headers = {} }: Refusal,
): void {
  const body = JSON.stringify({ error: { code, message } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    // Random, so that the clients do not all come back at the same time.
    ...(retryable === true ? [`Retry-After: ${1 + Math.floor(Math.random() * 5)}`] : []),
  ];
  // The client may never close its half of the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
