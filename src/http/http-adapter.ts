import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify';
import { HttpConnections } from './connections/http-connections.js';
import { EarlyRefusals } from './early-refusals.js';
import { EndOfTurn } from './response-batcher.js';
import { RouteTable } from './route-table.js';
import { MethodNotAllowedError } from './http.errors.js';
import type { HttpOptions } from './http.options.js';

const ACCEPTABLE_REQUEST_ID = /^[\w.-]{1,64}$/;
/** How often Node looks for requests that take too long. */
const CHECKING_INTERVAL_MS = 5000;

/**
 * The HTTP server of the process: limits, request ids, bodies as bytes, and errors in one shape also where Fastify or
 * Node answer before any route does.
 */
export class HttpAdapter extends FastifyAdapter {
  readonly #routes = new RouteTable();

  constructor(
    options: HttpOptions,
    readonly earlyRefusals = new EarlyRefusals(),
    readonly connections = new HttpConnections(options.limits),
  ) {
    super(fastifyOptions(options, earlyRefusals, connections));
    const server = this.getInstance();
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    server.addHook('onRoute', ({ url, method }) => this.#routes.add(url, [method].flat()));
    server.addHook('onRequest', (request, reply, done) => {
      setCommonHeaders(request, reply);
      done(this.#wrongMethodOf(request));
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

  /** Tells clients from here on that their connections are closing. */
  stopping(): void {
    this.connections.stopping();
  }

  override close() {
    this.connections.closeUnused();
    return super.close();
  }

  /** Nest would parse JSON and forms; here every route gets the bytes. */
  override registerParserMiddleware(): void {}

  /** Checked before the body is read: Fastify has rules of its own for the bodies of some methods. */
  #wrongMethodOf({ is404, url, method }: FastifyRequest): MethodNotAllowedError | undefined {
    if (!is404) return undefined;
    const [path = '/'] = url.split('?', 1);
    const allowed = this.#routes.methodsOf(path);
    return allowed.length > 0 ? new MethodNotAllowedError(method, allowed) : undefined;
  }
}

function fastifyOptions(
  options: HttpOptions,
  refusals: EarlyRefusals,
  connections: HttpConnections,
): FastifyHttpOptions<Server> {
  const { bodyLimitBytes, maxHeaderBytes, requestTimeoutMs, keepAliveTimeoutMs } = options;
  return {
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    serverFactory: (handler) => {
      const server = createServer(
        {
          maxHeaderSize: maxHeaderBytes,
          requestTimeout: requestTimeoutMs,
          headersTimeout: requestTimeoutMs,
          keepAliveTimeout: keepAliveTimeoutMs,
          connectionsCheckingInterval: Math.min(CHECKING_INTERVAL_MS, requestTimeoutMs),
        },
        (request, response) => connections.handle(request, response, () => handler(request, response)),
      );
      connections.watch(server);
      return server;
    },
    // Requests that arrive while the server drains are served; the bus says when it is too late.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply);
      refusals.answer(error, reply);
    },
    clientErrorHandler: (cause, socket) => refusals.answerOn(socket, cause),
  };
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && ACCEPTABLE_REQUEST_ID.test(given) ? given : randomUUID();
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({ 'X-Request-Id': request.id, 'X-Content-Type-Options': 'nosniff' });
}
