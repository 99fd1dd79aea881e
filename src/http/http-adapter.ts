import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify';
import { readBody } from './body/body-reader.js';
import { parseLazily } from './body/lazy-json.js';
import { HttpConnections } from './connections/http-connections.js';
import { Hosts } from './callers/hosts.js';
import { EarlyRefusals } from './early-refusals.js';
import { HttpServers } from './servers/http-servers.js';
import { ResponseBatcher } from './response-batcher.js';
import { RouteTable } from './route-table.js';
import { MethodNotAllowedError } from './http.errors.js';
import type { HttpOptions } from './http.options.js';

/** Connection ids and secrets in paths are longer than the 100 characters that Fastify allows. */
const MAX_PARAMETER_LENGTH = 512;
const ACCEPTABLE_REQUEST_ID = /^[\w.-]{1,64}$/;

/**
 * The HTTP server of the process. It applies limits, assigns request ids and passes bodies on as bytes. Errors have one
 * format, even if Fastify or Node respond before a request is routed.
 */
export class HttpAdapter extends FastifyAdapter {
  readonly #routes = new RouteTable();
  /** Whoever handles upgrades has to ask it as well. */
  readonly hosts: Hosts;
  readonly servers: HttpServers;

  /** @param listensOn the address of the server, which decides which names it serves */
  constructor(
    options: HttpOptions,
    listensOn?: string,
    readonly earlyRefusals = new EarlyRefusals(),
    readonly connections = new HttpConnections(options.limits),
  ) {
    const hosts = new Hosts(options.allowedHosts, listensOn);
    const servers = new HttpServers(options, { connections, earlyRefusals });
    super(fastifyOptions(options, { earlyRefusals, servers, hosts }));
    this.hosts = hosts;
    this.servers = servers;
    const server = this.getInstance();
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', readBody);
    server.addHook('onRoute', ({ url, method }) => this.#routes.add(url, [method].flat()));
    server.addHook('onRequest', (request, reply, done) => {
      setCommonHeaders(request, reply);
      done(this.#wrongMethodOf(request));
    });
    const batcher = new ResponseBatcher();
    server.addHook('onSend', (_request, { raw }, payload, done) =>
      batcher.add(() => {
        try {
          done(null, payload);
        } catch (cause) {
          // No caller would catch it. A response that cannot be sent ends its own request and no other.
          raw.destroy(cause as Error);
        }
      }),
    );
  }

  /** For an application whose routes are beside those of Carillon: `request.body` is the value of a JSON body, parsed when it is read. */
  parseJsonBodies(): void {
    const server = this.getInstance();
    const parse = server.getDefaultJsonParser('error', 'error');
    server.addHook('preValidation', (request, _reply, done) => {
      parseLazily(request, parse);
      done();
    });
  }

  /** From now on, responses tell clients that their connections are closing. */
  stopping(): void {
    this.connections.stopping();
  }

  override close() {
    this.connections.closeUnused();
    this.servers.closeInternal();
    return super.close();
  }

  /** Nest would parse JSON and forms here, but every route takes the bytes. */
  override registerParserMiddleware(): void {}

  /** Called before the body is read, because Fastify has its own rules for the bodies of some methods. */
  #wrongMethodOf({ is404, url, method }: FastifyRequest): MethodNotAllowedError | undefined {
    if (!is404) return undefined;
    const [path = '/'] = url.split('?', 1);
    const allowed = this.#routes.methodsOf(path);
    return allowed.length > 0 ? new MethodNotAllowedError(method, allowed) : undefined;
  }
}

function fastifyOptions(
  options: HttpOptions,
  { earlyRefusals, servers, hosts }: Pick<HttpAdapter, 'earlyRefusals' | 'servers' | 'hosts'>,
): FastifyHttpOptions<Server> {
  const { bodyLimitBytes, requestTimeoutMs, keepAliveTimeoutMs } = options;
  return {
    bodyLimit: bodyLimitBytes,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    serverFactory: (handler) => servers.createPublic(handler, hosts),
    // Requests that arrive while the server drains are served, until the bus is closed.
    return503OnClosing: false,
    rewriteUrl: routableUrl,
    requestIdHeader: false,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply);
      earlyRefusals.respond(error, reply);
    },
    clientErrorHandler: (cause, socket) => earlyRefusals.respondOn(socket, cause),
  };
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && ACCEPTABLE_REQUEST_ID.test(given) ? given : randomUUID();
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({ 'X-Request-Id': request.id, 'X-Content-Type-Options': 'nosniff' });
}

/**
 * Returns the URL with each `%40` of its path as `@`, which means the same. The router decodes it in parameters, but not where a
 * route has a literal `@`.
 */
function routableUrl({ url = '/' }: { readonly url?: string | undefined }): string {
  if (!url.includes('%40')) return url;
  const queryAt = url.indexOf('?');
  const path = queryAt < 0 ? url : url.slice(0, queryAt);
  return path.replaceAll('%40', '@') + url.slice(path.length);
}
