import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { every } from '../../async/index.js';
import { networkOf } from '../callers/client-identity.js';
import type { HttpOptions } from '../http.options.js';
import { descriptorLimit, openDescriptors } from './descriptors.js';
import { refuseConnection, refuseRequest } from './refuse-connection.js';

/** Why a connection or a request was refused, or a connection was cut, as the metrics name it. */
export type ConnectionRefusal =
  'connections' | 'connections_per_address' | 'descriptors' | 'requests_in_flight' | 'unread_response';

/** One connection that has not been upgraded. */
interface Entry {
  readonly network: string;
  requestsInFlight: number;
  /** The newest request: only this one may still be incomplete. */
  latest: IncomingMessage | undefined;
  /** The time since which bytes have been waiting for the client, from `performance.now()`. */
  waitsSince: number | undefined;
}

const CHECK_INTERVAL_MS = 1_000;

/**
 * Limits the clients of an HTTP server: connections per address and in total, requests in progress per connection, and responses
 * that a client does not read. Refuses connections before the process runs out of file descriptors: without any, it could not even
 * open a log file or connect to a broker.
 *
 * Upgraded connections count for the descriptors only: the gateway has its own limits for them.
 */
export class HttpConnections {
  /** Called for every connection or request that is refused, and for every connection that is cut off. */
  onRefused: (reason: ConnectionRefusal) => void = () => {};
  readonly #entries = new Map<Socket, Entry>();
  readonly #byNetwork = new Map<string, number>();
  readonly #maxOpen: number;
  #open = 0;
  #isStopping = false;

  constructor(private readonly limits: HttpOptions['limits']) {
    const limit = descriptorLimit() ?? Infinity;
    this.#maxOpen = limit - (openDescriptors() ?? 0) - Math.min(limits.descriptorReserve, limit / 4);
  }

  /** Connections that have not been upgraded. */
  get size(): number {
    return this.#entries.size;
  }

  /** Watches a server; there can be several. Its requests have to go through {@link handle}. */
  watch(server: Server): void {
    server.on('connection', (socket) => this.#accept(socket));
    const check = every('check of unread responses', CHECK_INTERVAL_MS, () => this.#cutUnread()).unref();
    server.on('close', () => clearInterval(check));
  }

  /**
   * Stops counting a connection that was upgraded, except for the descriptors. What handles upgrades calls this; a listener here would
   * make Node take every upgrade for handled.
   */
  upgraded(socket: Socket): void {
    this.#forget(socket);
  }

  /** Passes a request on, unless too many of its connection are being handled. */
  handle(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const entry = this.#entries.get(request.socket);
    if (entry === undefined || entry.requestsInFlight >= this.limits.requestsInFlightPerConnection) {
      if (entry !== undefined) this.onRefused('requests_in_flight');
      refuseRequest(response);
      return;
    }
    entry.requestsInFlight++;
    entry.latest = request;
    response.once('close', () => entry.requestsInFlight--);
    if (this.#isStopping) response.setHeader('Connection', 'close');
    next();
  }

  /** From now on, responses say that their connection is closing. */
  stopping(): void {
    this.#isStopping = true;
  }

  /** Closes the connections on which no request is being handled: idle ones, and those whose request is incomplete. */
  closeUnused(): void {
    for (const [socket, { requestsInFlight, latest }] of this.#entries)
      if (requestsInFlight === 0 || latest?.complete === false) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#open++;
    socket.once('close', () => {
      this.#open--;
      this.#forget(socket);
    });
    const network = networkOf(socket.remoteAddress ?? '');
    const reason = this.#reasonToRefuse(network);
    if (reason !== undefined) {
      this.onRefused(reason);
      refuseConnection(socket);
      return;
    }
    this.#entries.set(socket, { network, requestsInFlight: 0, latest: undefined, waitsSince: undefined });
    this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? 0) + 1);
  }

  #reasonToRefuse(network: string): ConnectionRefusal | undefined {
    if (this.#open > this.#maxOpen) return 'descriptors';
    if (this.#entries.size >= this.limits.connections) return 'connections';
    const ofNetwork = this.#byNetwork.get(network) ?? 0;
    return ofNetwork >= this.limits.connectionsPerAddress ? 'connections_per_address' : undefined;
  }

  #forget(socket: Socket): void {
    const entry = this.#entries.get(socket);
    if (entry === undefined) return;
    this.#entries.delete(socket);
    const left = (this.#byNetwork.get(entry.network) ?? 1) - 1;
    if (left > 0) this.#byNetwork.set(entry.network, left);
    else this.#byNetwork.delete(entry.network);
  }

  /** A response is finished when the operating system has accepted all of its bytes, which depends on how fast the client reads. */
  #cutUnread(): void {
    const now = performance.now();
    for (const [socket, entry] of this.#entries) {
      if (socket.writableLength === 0) entry.waitsSince = undefined;
      else if (entry.waitsSince === undefined) entry.waitsSince = now;
      else if (now - entry.waitsSince > this.limits.responseTimeoutMs) {
        this.onRefused('unread_response');
        socket.destroy();
      }
    }
  }
}
