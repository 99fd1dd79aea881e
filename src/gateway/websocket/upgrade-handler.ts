import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ConnectionAcceptor } from '../connection/connection-acceptor.js';
import type { Connection } from '../connection/connection.js';
import { refusals } from '../connection/refusals.js';
import { HttpAdapter } from '../../http/index.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import type { ProtocolDefinition } from '../protocols/protocol.js';
import { Protocols } from '../protocols/protocols.js';
import { webSocketFraming } from './frame.js';
import { handshakeFault } from './handshake-fault.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { SocketServer } from './socket-server.js';

/** The header of the upgrade response that names the connection's id. */
const CONNECTION_ID_HEADER = 'Carillon-Connection-Id';

/**
 * Handles the upgrade requests of the application's HTTP server: finds the protocol that serves the path, has the
 * handshake accepted, and opens the connection over a WebSocket. After the drain it responds with 503.
 */
@Injectable()
export class UpgradeHandler implements OnModuleInit {
  #hosts: HttpAdapter['hosts'] | undefined;
  readonly #servers = new WeakMap<ProtocolDefinition, SocketServer>();

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) private readonly options: GatewayModuleOptions,
    private readonly protocols: Protocols,
    private readonly acceptor: ConnectionAcceptor,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const { httpAdapter } = this.adapterHost;
    const server = httpAdapter.getHttpServer() as Server;
    if (httpAdapter instanceof HttpAdapter) {
      server.on('upgrade', (_request, socket: Socket) => httpAdapter.connections.upgraded(socket));
      this.#hosts = httpAdapter.hosts;
    }
    server.on('upgrade', this.#onUpgrade);
    // The property is the option of `createServer` of the same name. Without it, the listener makes Node hand over every
    // upgrade, and a plain request of Java's client, which offers `h2c` with each, would never reach its route.
    Object.assign(server, { shouldUpgradeCallback: isWebSocketUpgrade });
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    // Node has removed its own listener, and a reset connection must not crash the process.
    socket.on('error', destroy);
    const reply = { refuse: refuseUpgrade.bind(undefined, socket) };
    const fault = this.#hosts?.faultOf(request);
    if (fault !== undefined) {
      this.acceptor.refuse(fault, reply);
      return;
    }
    const path = pathOf(request);
    const match = path === undefined ? undefined : this.protocols.match(path);
    if (match === undefined) {
      this.acceptor.refuse(path === undefined ? refusals.malformed : refusals.unknownPath, reply);
      return;
    }
    const malformed = handshakeFault(request);
    if (malformed !== undefined) {
      this.acceptor.refuse(malformed, reply);
      return;
    }
    const { definition, protocol, params } = match;
    void this.acceptor.accept(
      request,
      { protocol: definition, framing: webSocketFraming, params },
      protocol,
      { ...reply, accept: (connection) => this.#upgrade(definition, connection, request, socket, head) },
    );
  };

  /** Completes the handshake in the same tick. */
  #upgrade(
    definition: ProtocolDefinition,
    connection: Connection,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): void {
    const server = this.#serverOf(definition);
    server.granted = connection.subprotocol;
    server.options.maxPayload = connection.maxMessageBytes ?? this.options.maxMessageBytes;
    const addConnectionId = (headers: string[]) => headers.push(`${CONNECTION_ID_HEADER}: ${connection.id}`);
    server.once('headers', addConnectionId);
    server.handleUpgrade(request, socket, head, (transport) => {
      socket.off('error', destroy);
      transport.stream = socket;
      if (connection.maxFrameBytes !== undefined) transport.limitFrames(connection.maxFrameBytes);
      connection.open(transport);
    });
    server.off('headers', addConnectionId);
  }

  #serverOf(definition: ProtocolDefinition): SocketServer {
    let server = this.#servers.get(definition);
    if (server === undefined)
      this.#servers.set(definition, (server = new SocketServer(this.options, definition.subprotocols)));
    return server;
  }
}

function isWebSocketUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function destroy(this: Socket): void {
  this.destroy();
}

/** Returns undefined for a request that cannot be a WebSocket handshake. */
function pathOf({ url, httpVersionMajor, httpVersionMinor }: IncomingMessage): string | undefined {
  if (!url?.startsWith('/') || (httpVersionMajor === 1 && httpVersionMinor === 0)) return undefined;
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
