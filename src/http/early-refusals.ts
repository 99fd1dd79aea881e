import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply } from 'fastify';
import { bodyOf, httpError, type HttpError } from './http-error.js';

/** Answers what Fastify and Node refuse before there is a route, and so before any filter, in the shape of all other errors. */
export class EarlyRefusals {
  /** Hears of each that is answered. */
  onRefused: (code: string) => void = () => {};

  /** Of the router, which runs no hook before. */
  answer({ statusCode, message }: FastifyError, reply: FastifyReply): void {
    const error = httpError(statusCode === 414 ? 'uri_too_long' : 'malformed_request', message);
    this.onRefused(error.code);
    void reply.code(error.status).type('application/json; charset=utf-8').send(bodyOf(error));
  }

  /**
   * Node could not make a request of what came, so there is nothing but the socket to answer on. Cut off when the answer is out:
   * a request that ran out of time would else still be carried out when its rest came, and one without a rest held for ever.
   */
  answerOn(socket: Socket, cause: NodeJS.ErrnoException): void {
    if (cause.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const error = clientError(cause.code);
    this.onRefused(error.code);
    const body = JSON.stringify(bodyOf(error));
    socket.end(
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  }
}

function clientError(code: string | undefined): HttpError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return httpError('headers_too_large', 'the request line and headers are too large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpError('request_timeout', 'the request did not arrive in time');
    default:
      return httpError('malformed_request', 'this is not an HTTP request');
  }
}
