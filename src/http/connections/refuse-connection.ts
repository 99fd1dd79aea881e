import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bodyOf, httpError } from '../error-responses.js';

const RETRY_AFTER_SECONDS = 1;
const CONTENT_TYPE = 'application/json; charset=utf-8';

/** Responds with 503 before a request was read, and closes the connection. No request of the client is read or handled. */
export function refuseConnection(socket: Socket): void {
  socket.pause();
  socket.on('error', () => socket.destroy());
  const body = JSON.stringify(
    bodyOf(httpError('too_many_connections', 'the server has too many connections; try again later')),
  );
  socket.end(
    `HTTP/1.1 503 Service Unavailable\r\nContent-Type: ${CONTENT_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nRetry-After: ${RETRY_AFTER_SECONDS}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

/** Responds with 503 to a request that is not handled, and then closes the connection. */
export function refuseRequest(response: ServerResponse): void {
  const error = httpError(
    'too_many_requests_in_flight',
    'too many requests of this connection are being handled; wait for responses before you send more',
  );
  response
    .writeHead(error.status, {
      'Content-Type': CONTENT_TYPE,
      'Retry-After': RETRY_AFTER_SECONDS,
      Connection: 'close',
    })
    .end(JSON.stringify(bodyOf(error)));
}
