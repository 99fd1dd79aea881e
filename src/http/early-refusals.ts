import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply } from 'fastify';
import { bodyOf, httpError, type HttpError } from './error-responses.js';
import { endWithError, endWithErrorResponse } from './raw-response.js';

/**
 * Responds to requests that Fastify or Node refuse before they are routed, where no exception filter runs. The responses
 * have the format of all other errors.
 */
export class EarlyRefusals {
  /** Called with the code of each refused request. */
  onRefused: (code: string) => void = () => {};

  /** For requests that the router refuses: it runs no hook before. */
  respond({ statusCode, message }: FastifyError, reply: FastifyReply): void {
    const error = httpError(statusCode === 414 ? 'uri_too_long' : 'malformed_request', message);
    this.onRefused(error.code);
    void reply.code(error.status).type('application/json; charset=utf-8').send(bodyOf(error));
  }

  /** For requests that are not passed to the router. The connection is closed, because the body is not read. */
  respondTo(response: ServerResponse, error: HttpError): void {
    this.onRefused(error.code);
    endWithErrorResponse(response, error);
  }

  /**
   * For bytes that Node could not parse as a request, so that the response is written to the socket itself. The socket is
   * destroyed afterwards: otherwise a request that timed out could still be executed when the rest of it arrives, or would
   * be held forever.
   */
  respondOn(socket: Socket, cause: NodeJS.ErrnoException): void {
    if (cause.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const error = clientError(cause.code);
    this.onRefused(error.code);
    endWithError(socket, error);
  }
}

function clientError(code: string | undefined): HttpError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return httpError('headers_too_large', 'the request line and the headers are too large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpError('request_timeout', 'the request did not arrive in time');
    default:
      return httpError('malformed_request', 'the bytes are not an HTTP request');
  }
}
