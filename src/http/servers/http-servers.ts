import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { Hosts } from '../callers/hosts.js';
import type { HttpConnections } from '../connections/http-connections.js';
import type { EarlyRefusals } from '../early-refusals.js';
import type { HttpOptions } from '../http.options.js';

/** How often Node looks for requests that take too long. */
const CHECKING_INTERVAL_MS = 5000;

export interface HttpServersParts {
  readonly connections: HttpConnections;
  readonly earlyRefusals: EarlyRefusals;
}

/** Creates the servers of the process: the public one, and the one for the internal port. Both have the same limits and routes. */
export class HttpServers {
  readonly #internalRequests = new WeakSet<IncomingMessage>();
  #internal: Server | undefined;
  #handler: RequestListener = () => {};

  constructor(
    private readonly options: HttpOptions,
    private readonly parts: HttpServersParts,
  ) {}

  get hasInternalPort(): boolean {
    return this.options.internal.port !== undefined;
  }

  isInternal(request: IncomingMessage): boolean {
    return this.#internalRequests.has(request);
  }

  /** @param handler is called with the requests of all servers */
  createPublic(handler: RequestListener, hosts: Hosts): Server {
    this.#handler = handler;
    return this.#create(hosts, handler);
  }

  /** Starts the server for the internal port. Resolves when it listens. It serves no upgrades. */
  async listenInternal(port: number, host: string): Promise<void> {
    const server = this.#create(new Hosts(this.options.allowedHosts, host), (request, response) => {
      this.#internalRequests.add(request);
      this.#handler(request, response);
    });
    this.#internal = server;
    server.on('clientError', (cause, socket) => this.parts.earlyRefusals.respondOn(socket as Socket, cause));
    server.listen(port, host);
    await once(server, 'listening');
  }

  closeInternal(): void {
    this.#internal?.close();
  }

  #create(hosts: Hosts, handler: RequestListener): Server {
    const { maxHeaderBytes, requestTimeoutMs, keepAliveTimeoutMs } = this.options;
    const { connections, earlyRefusals } = this.parts;
    const server = createServer(
      {
        maxHeaderSize: maxHeaderBytes,
        requestTimeout: requestTimeoutMs,
        headersTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        connectionsCheckingInterval: Math.min(CHECKING_INTERVAL_MS, requestTimeoutMs),
      },
      (request, response) =>
        connections.handle(request, response, () => {
          const fault = hosts.faultOf(request);
          if (fault === undefined) handler(request, response);
          else earlyRefusals.respondTo(response, fault);
        }),
    );
    connections.watch(server);
    return server;
  }
}
