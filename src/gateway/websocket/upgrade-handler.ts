import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { Connection } from '../connection/connection.js';
import { settlesWithin } from '../../async/index.js';
import { ConnectionAdmission } from '../connection/connection-admission.js';
import { GatewayMetrics } from '../gateway.metrics.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import { Handshake } from '../connection/handshake.js';
import { HandshakeRefusedError, refusals, type Refusal } from '../connection/refusals.js';
import { webSocketFraming } from './frame.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { SocketServer } from './socket-server.js';

/** The name of the upgrade response's header that tells a client its connection id. */
const CONNECTION_ID_HEADER = 'Carillon-Connection-Id';

/** The only port that Nest may ask for: that of the application's own HTTP server. */
const APPLICATION_PORT = 0;

/**
 * Nest's adapter for `ws`, without its pipelines per client: it decides about each upgrade, waits until the client is
 * attached to delivery, and hands the socket to a connection. Sockets end with the gateway module, before Nest closes
 * the servers that are made here.
 */
export class WebSocketAdapter extends WsAdapter {
  protected override readonly logger = new Logger('Gateway');
  readonly #options: GatewayModuleOptions;
  readonly #admission: ConnectionAdmission;
  readonly #metrics: GatewayMetrics;
  readonly #servers = new Map<string, SocketServer>();

  constructor(app: INestApplicationContext) {
    super(app);
    this.#options = app.get<GatewayModuleOptions>(GATEWAY_MODULE_OPTIONS);
    this.#admission = app.get(ConnectionAdmission);
    this.#metrics = app.get(GatewayMetrics);
  }

  override create(port: number, { path }: { readonly path?: string } = {}): SocketServer {
    if (port !== APPLICATION_PORT || path === undefined)
      throw new TypeError('a gateway needs a path and shares the port of the application');
    const httpServer = this.httpServer as Server;
    if (this.#servers.size === 0) {
      httpServer.on('upgrade', this.#onUpgrade);
      // The property is the option of `createServer` of this name. Without it, a listener makes Node take every upgrade
      // for ours, and a plain request of Java's client, which offers `h2c` with each, would never reach its route.
      Object.assign(httpServer, { shouldUpgradeCallback: isWebSocketUpgrade });
    }
    const server = new SocketServer(path, this.#options);
    this.#servers.set(path, server);
    return server;
  }

  /** Gateways take their clients from the server's `entrance`: nothing is bound per client. */
  override bindClientConnect(): void {}

  override bindMessageHandlers(): void {}

  override async dispose(): Promise<void> {
    (this.httpServer as Server).off('upgrade', this.#onUpgrade);
    this.#servers.clear();
    await super.dispose();
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    // Node has taken its own listener off, and a reset connection must not bring the process down.
    socket.on('error', destroy);
    void this.#welcome(request, socket, head);
  };

  async #welcome(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const entry = this.#admit(request);
    if ('refusal' in entry) {
      this.#refuse(socket, entry.refusal);
      return;
    }
    const { server, connection } = entry;
    const refusal = await this.#join(connection);
    if (refusal === undefined) this.#upgrade(server, connection, request, socket, head);
    else this.#refuse(socket, refusal);
    connection.abandon();
  }

  #admit(
    request: IncomingMessage,
  ): { readonly server: SocketServer; readonly connection: Connection } | { readonly refusal: Refusal } {
    const path = pathOf(request);
    if (path === undefined) return { refusal: refusals.malformed };
    const server = this.#servers.get(path);
    if (server?.entrance === undefined || server.protocol === undefined)
      return { refusal: refusals.unknownPath };
    const endpoint = { protocol: server.protocol, framing: webSocketFraming, params: {} };
    const handshake = this.#admission.admit(request, endpoint);
    if (!(handshake instanceof Handshake)) return { refusal: handshake };
    return { server, connection: server.entrance(handshake) };
  }

  /** Once the client's socket opens, what is published from then on reaches it. */
  async #join(connection: Connection): Promise<Refusal | undefined> {
    try {
      if (!(await settlesWithin(this.#options.attachTimeoutMs, connection.join()))) return refusals.notReady;
    } catch (error) {
      if (error instanceof HandshakeRefusedError) return error.refusal;
      this.logger.warn(`connection ${connection.id} could not be attached: ${String(error)}`);
      return refusals.notReady;
    }
    if (this.#admission.isShut) return refusals.shuttingDown;
    return connection.hasLeft ? refusals.notReady : undefined;
  }

  /** Answers the handshake in the same tick, or refuses it if it is malformed. The request is not kept. */
  #upgrade(
    server: SocketServer,
    connection: Connection,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): void {
    const announce = (headers: string[]) => headers.push(`${CONNECTION_ID_HEADER}: ${connection.id}`);
    server.once('headers', announce);
    server.handleUpgrade(request, socket, head, (transport) => {
      socket.off('error', destroy);
      transport.stream = socket;
      connection.open(transport);
    });
    server.off('headers', announce);
  }

  #refuse(socket: Socket, refusal: Refusal): void {
    this.#metrics.refused(refusal);
    refuseUpgrade(socket, refusal);
  }
}

function isWebSocketUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function destroy(this: Socket): void {
  this.destroy();
}

function pathOf({ url, httpVersionMajor, httpVersionMinor }: IncomingMessage): string | undefined {
  if (!url?.startsWith('/') || (httpVersionMajor === 1 && httpVersionMinor === 0)) return undefined;
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
