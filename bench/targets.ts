import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { WebSocketServer } from 'ws';
import type * as AppExports from '../src/app.module.js';
import type * as ConfigExports from '../src/config/schema.js';
import type * as DeliveryExports from '../src/delivery/index.js';
import type * as HttpExports from '../src/http/index.js';
import type * as MessageExports from '../src/message/index.js';
import type * as GatewayExports from '../src/gateway/index.js';
import type * as ProtocolExports from '../src/protocols.js';
import { TOKEN_SECRET, type Protocol } from './client-sockets.ts';

export const PAYLOAD = Buffer.from(JSON.stringify('x'.repeat(98)));

/** A server with sockets. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly protocol: Protocol;
  /** Sends one message to every socket. */
  publish(): void;
}

const dist = process.env.CARILLON_DIST ?? new URL('../dist', import.meta.url).pathname;

/** The built gateway with only a set of subscribers behind it. */
export async function gateway(): Promise<Target> {
  const { ChannelRules, channelsOptions, Delivery, Nodes, Presence, Publication } = (await import(
    `${dist}/delivery/index.js`
  )) as typeof DeliveryExports;
  const gatewayExports = (await import(`${dist}/gateway/index.js`)) as typeof GatewayExports;
  const subscribers = new Set<DeliveryExports.Subscriber>();
  const table = {
    attach: (channel: string, subscriber: DeliveryExports.Subscriber) => {
      if (channel.startsWith('~identity:')) subscribers.add(subscriber);
      return Promise.resolve();
    },
    detach: (_: string, subscriber: DeliveryExports.Subscriber) => subscribers.delete(subscriber),
  };
  const { protocols } = (await import(`${dist}/protocols.js`)) as typeof ProtocolExports;
  const options = gatewayExports.gatewayOptionsFor(protocols).parse({});
  const providers = [
    { provide: Delivery, useValue: table },
    { provide: Nodes, useValue: { onCommand() {}, describeAudience() {} } },
    { provide: Presence, useValue: {} },
    { provide: ChannelRules, useValue: new ChannelRules(channelsOptions.parse({})) },
  ];
  const delivery = { module: class Table {}, providers, exports: [Delivery, Nodes, Presence, ChannelRules] };
  const module = {
    ...gatewayExports.GatewayModule.forRoot({ ...options, trustedProxies: [], protocols }),
    imports: [delivery],
  };
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  return {
    protocol: 'raw',
    port: (app.getHttpServer().address() as AddressInfo).port,
    publish() {
      const publication = new Publication({
        channel: 'bench',
        data: PAYLOAD,
        format: 'json',
        createdAt: Date.now(),
        lane: 'direct',
      });
      for (const subscriber of subscribers) subscriber.receive(publication);
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

/** The complete server, with tokens and one channel to which all clients are subscribed. */
export async function centrifugo(): Promise<Target> {
  const { AppModule } = (await import(`${dist}/app.module.js`)) as typeof AppExports;
  const { configSchema } = (await import(`${dist}/config/schema.js`)) as typeof ConfigExports;
  const { Delivery } = (await import(`${dist}/delivery/index.js`)) as typeof DeliveryExports;
  const { HttpAdapter } = (await import(`${dist}/http/index.js`)) as typeof HttpExports;
  const { newMessageId } = (await import(`${dist}/message/index.js`)) as typeof MessageExports;
  const config = configSchema.parse({
    bus: { drivers: { sqlite: { directory: ':memory:' } } },
    gateway: { client: { tokens: { connection: { hmacSecretKey: TOKEN_SECRET } } } },
    delivery: { channels: { withoutNamespace: { allowSubscribeForClient: true } } },
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config),
    new HttpAdapter(config.server.http),
    { logger: false },
  );
  await app.listen(0, '127.0.0.1');
  const delivery = app.get(Delivery);
  return {
    protocol: 'centrifugo',
    port: (app.getHttpServer().address() as AddressInfo).port,
    publish() {
      const message = { channel: 'bench', data: PAYLOAD, format: 'json', createdAt: Date.now() } as const;
      void delivery.publish({ ...message, id: newMessageId() }, 'direct');
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

/** The straightforward implementation with `ws`. */
export async function plainWs(): Promise<Target> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    protocol: 'raw',
    port: (http.address() as AddressInfo).port,
    publish() {
      for (const client of server.clients) client.send(PAYLOAD, { binary: false });
    },
    [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
      http.close();
      return Promise.resolve();
    },
  };
}
