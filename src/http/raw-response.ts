import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bodyOf, type HttpError } from './error-responses.js';

/**
 * Writes an error response to a socket on which there is no request to respond to, in the format of all other errors. The
 * socket is destroyed afterwards.
 */
export function endWithError(socket: Socket, error: HttpError): void {
  const body = JSON.stringify(bodyOf(error));
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...error.headers,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
}

/** Writes an error response for a request that no route handles, in the same format. The connection is closed afterwards. */
export function endWithErrorResponse(response: ServerResponse, error: HttpError): void {
  response
    .writeHead(error.status, {
      'Content-Type': 'application/json; charset=utf-8',
      ...error.headers,
      Connection: 'close',
    })
    .end(JSON.stringify(bodyOf(error)));
}
