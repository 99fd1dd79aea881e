import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { register } from 'prom-client';
import { WebSocket, type ClientOptions } from 'ws';
import type { z } from 'zod';
import {
  ChannelRules,
  channelsOptions,
  ConnectionCalls,
  connectionChannel,
  Delivery,
  identityChannel,
  Nodes,
  Presence,
  Publication,
  Registrations,
  type Audience,
  type Subscriber,
} from '../../src/delivery/index.js';
import { GatewayModule, gatewayOptionsFor, type ProtocolDefinition } from '../../src/gateway/index.js';
import { protocols } from '../../src/protocols.js';
import { HttpAdapter, HttpModule, httpOptions } from '../../src/http/index.js';
import { WebhooksModule, webhooksOptions } from '../../src/webhooks/index.js';

/** A replacement for delivery that knows the subscribers of this process and has no stores. */
export class Table {
  readonly #byChannel = new Map<string, Set<Subscriber>>();
  /** Every attachment waits for this promise. */
  ready: Promise<void> = Promise.resolve();
  /** What the gateway reports to the other nodes. */
  audience: (() => Audience) | undefined;

  attach(channel: string, subscriber: Subscriber): Promise<void> {
    const subscribers = this.#byChannel.get(channel) ?? new Set();
    this.#byChannel.set(channel, subscribers.add(subscriber));
    return this.ready;
  }

  detach(channel: string, subscriber: Subscriber): void {
    const subscribers = this.#byChannel.get(channel);
    if (subscribers?.delete(subscriber) && subscribers.size === 0) this.#byChannel.delete(channel);
  }

  get channels(): string[] {
    return [...this.#byChannel.keys()];
  }

  send(channel: string, data: string | Buffer, format: 'json' | 'binary' = 'json'): void {
    const publication = new Publication({
      channel,
      data: Buffer.from(data),
      format,
      createdAt: Date.now(),
      lane: 'direct',
    });
    for (const subscriber of this.#byChannel.get(channel) ?? []) subscriber.receive(publication);
  }
}

export interface Server extends AsyncDisposable {
  readonly app: NestFastifyApplication;
  readonly table: Table;
  readonly port: number;
  readonly url: string;
  /** Resolves when the socket is open. Rejects if the handshake is refused. */
  connect(options?: ClientOptions, path?: string, subprotocols?: string[]): Promise<Client>;
  /** Resolves with the response that refuses a handshake. */
  refusal(options?: ClientOptions, path?: string): Promise<IncomingMessage>;
  /** Opens a TCP connection, for bytes that no WebSocket library would send. */
  dial(): Promise<Socket>;
}

export interface Client {
  readonly socket: WebSocket;
  /** The TCP socket under it, for bytes that the library would not send. */
  readonly wire: Socket;
  readonly id: string;
  readonly received: string[];
  /** Resolves when the client has received this many messages in all. */
  messages(count: number): Promise<string[]>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export type Settings = z.input<ReturnType<typeof gatewayOptionsFor<typeof protocols>>> & {
  readonly trustedProxies?: readonly string[];
  readonly allowUntrustedProxies?: boolean;
  readonly http?: z.input<typeof httpOptions>;
};

/** @param served the protocols of the gateway; those of the program if there is no list */
export async function serve(
  { trustedProxies = [], allowUntrustedProxies = false, http, ...settings }: Settings = {},
  served: readonly ProtocolDefinition[] = protocols,
): Promise<Server> {
  register.clear();
  const options = gatewayOptionsFor(served).parse(settings);
  const table = new Table();
  const nodes = {
    onCommand() {},
    describeAudience(audience: () => Audience) {
      table.audience = audience;
    },
  };
  @Global()
  @Module({})
  class TableModule {
    static readonly instance: DynamicModule = {
      module: TableModule,
      providers: [
        { provide: Delivery, useValue: table },
        { provide: Nodes, useValue: nodes },
        { provide: Presence, useValue: {} },
        // For the function routes, of which these tests have none.
        { provide: Registrations, useValue: {} },
        { provide: ConnectionCalls, useValue: {} },
        { provide: ChannelRules, useValue: new ChannelRules(channelsOptions.parse({})) },
      ],
      exports: [Delivery, Nodes, Presence, Registrations, ConnectionCalls, ChannelRules],
    };
  }
  const built = await Test.createTestingModule({
    imports: [
      TableModule.instance,
      HttpModule.forRoot({ apiKeys: [], rateLimit: { perSecond: 0, burst: 1 }, trustedProxies }),
      GatewayModule.forRoot({
        ...options,
        trustedProxies,
        allowUntrustedProxies,
        protocols: served,
        imports: [WebhooksModule.forRoot(webhooksOptions.parse({}))],
      }),
    ],
  }).compile();
  const app = built.createNestApplication<NestFastifyApplication>(new HttpAdapter(httpOptions.parse(http)), {
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}`;
  const clients: WebSocket[] = [];
  const open = (path: string, client: ClientOptions, subprotocols: string[] = []) => {
    const socket = new WebSocket(`${url}${path}`, subprotocols, { perMessageDeflate: false, ...client });
    clients.push(socket);
    return socket;
  };
  return {
    app,
    table,
    port,
    url,
    connect: (client = {}, path = '/message', subprotocols = []) => opened(open(path, client, subprotocols)),
    async refusal(client = {}, path = '/message') {
      const socket = open(path, client);
      socket.on('error', () => {});
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
      socket.terminate();
      return response;
    },
    async dial() {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.terminate();
      await app.close();
    },
  };
}

async function opened(socket: WebSocket): Promise<Client> {
  const received: string[] = [];
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>;
  socket.on('message', (data) => received.push((data as Buffer).toString()));
  socket.on('close', (code, reason) => closed.resolve({ code, reason: String(reason) }));
  const [[{ headers, socket: wire }]] = await Promise.all([upgraded, once(socket, 'open')]);
  socket.on('error', () => {});
  return {
    socket,
    wire,
    id: String(headers['carillon-connection-id']),
    received,
    closed: closed.promise,
    async messages(count) {
      while (received.length < count) await once(socket, 'message');
      return received;
    },
  };
}

export function channelOf(client: Client): string {
  return connectionChannel(client.id);
}

/** The channel of the clients at an address with a User-Agent. */
export function identity(userAgent: string, address = '127.0.0.1'): string {
  return identityChannel(userAgent, address);
}

export async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
  const found = await register.getSingleMetric(name)?.get();
  const value = found?.values.find((each) =>
    Object.entries(labels).every(([label, text]) => each.labels[label] === text),
  );
  return value?.value ?? 0;
}
