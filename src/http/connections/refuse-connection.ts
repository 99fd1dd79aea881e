import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { httpError } from '../error-responses.js';
import { endWithError, endWithErrorResponse } from '../raw-response.js';

const RETRY_LATER = { 'Retry-After': '1' };

/** Responds with 503 before a request was read, and closes the connection. No request of the client is read or handled. */
export function refuseConnection(socket: Socket): void {
  socket.pause();
  socket.on('error', () => socket.destroy());
  const error = httpError('too_many_connections', 'the server has too many connections; try again later');
  endWithError(socket, { ...error, headers: RETRY_LATER });
}

/** Responds with 503 to a request that is not handled, and then closes the connection. */
export function refuseRequest(response: ServerResponse): void {
  const error = httpError(
    'too_many_requests_in_flight',
    'too many requests of this connection are being handled; wait for responses before you send more',
  );
  endWithErrorResponse(response, { ...error, headers: RETRY_LATER });
}
