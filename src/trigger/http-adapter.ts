import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify';
import { EndOfTurn } from './end-of-turn.js';
import { bodyOf, httpError, type HttpError } from './http-error.js';
import { RouteTable } from './route-table.js';
import { MethodNotAllowedError } from './trigger.errors.js';
import type { HttpOptions } from './trigger.options.js';

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

const ACCEPTABLE_REQUEST_ID = /^[\w.-]{1,64}$/;
/** How often Node looks for requests that take too long. */
const CHECKING_INTERVAL_MS = 5000;

/**
 * The HTTP server of the process: limits, request ids, bodies as bytes, and errors in one shape also where Fastify or
 * Node answer before any route does.
 */
export function createHttpAdapter(options: HttpOptions): FastifyAdapter {
  return new HttpAdapter(options);
}

class HttpAdapter extends FastifyAdapter {
  readonly #routes = new RouteTable();

  constructor(options: HttpOptions) {
    super(fastifyOptions(options));
    const server = this.getInstance();
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    server.addHook('onRoute', ({ url, method }) => this.#routes.add(url, [method].flat()));
    server.addHook('onRequest', (request, reply, done) => {
      setCommonHeaders(request, reply);
      done();
    });
    const endOfTurn = new EndOfTurn();
    server.addHook('onSend', (_request, { raw }, payload, done) =>
      endOfTurn.add(() => {
        try {
          done(null, payload);
        } catch (cause) {
          // Nobody above us would catch it: an answer that cannot be sent ends its request, and no other.
          raw.destroy(cause as Error);
        }
      }),
    );
  }

  /** Nest would parse JSON and forms; here every route gets the bytes. */
  override registerParserMiddleware(): void {}

  override setNotFoundHandler(handler: Handler) {
    return super.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
      const [path = '/'] = request.url.split('?', 1);
      const allowed = this.#routes.methodsOf(path);
      if (allowed.length > 0) throw new MethodNotAllowedError(request.method, allowed);
      return handler(request, reply);
    });
  }
}

function fastifyOptions(options: HttpOptions): FastifyHttpOptions<Server> {
  const { bodyLimitBytes, maxHeaderBytes, requestTimeoutMs, keepAliveTimeoutMs } = options;
  return {
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: {
      maxHeaderSize: maxHeaderBytes,
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECKING_INTERVAL_MS, requestTimeoutMs),
    },
    // Requests that arrive while the server drains are served; the bus says when it is too late.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    // The router answers these before any hook.
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply);
      const code = error.statusCode === 414 ? 'uri_too_long' : 'malformed_request';
      answer(reply, httpError(code, error.message));
    },
    clientErrorHandler: answerClientError,
  };
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && ACCEPTABLE_REQUEST_ID.test(given) ? given : randomUUID();
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({ 'X-Request-Id': request.id, 'X-Content-Type-Options': 'nosniff' });
}

function answer(reply: FastifyReply, error: HttpError): void {
  void reply.code(error.status).type('application/json; charset=utf-8').send(bodyOf(error));
}

/**
 * Node could not make a request of what came, so there is nothing but the socket to answer on. Cut off when the answer is out:
 * a request that ran out of time would else still be carried out when its rest came, and one without a rest held for ever.
 */
function answerClientError(cause: NodeJS.ErrnoException, socket: Socket): void {
  if (cause.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const error = clientError(cause.code);
  const body = JSON.stringify(bodyOf(error));
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
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
