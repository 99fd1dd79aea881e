/**
 * Deliveries of one process to many sockets: the gateway as it is, against `ws.send` for each client.
 *
 *   npm run build && node bench/outbox.bench.ts [sockets] [seconds per row]
 *
 * The clients are a process of their own that only counts bytes; the figure of CPU is the server's alone.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { WebSocketServer } from 'ws';
import type * as DeliveryRoom from '../src/delivery/index.js';
import type * as GatewayRoom from '../src/gateway/index.js';

const PAYLOAD = Buffer.from(JSON.stringify('x'.repeat(98)));
const FRAME_BYTES = PAYLOAD.length + 2;
/** Publications under way at once, so that the clients' buffers and not the outboxes are what fills. */
const WINDOW = 400;

interface Target extends AsyncDisposable {
  readonly port: number;
  publish(): void;
}

async function gateway(): Promise<Target> {
  const dist = process.env.CARILLON_DIST ?? new URL('../dist', import.meta.url).pathname;
  const { Delivery, Publication } = (await import(`${dist}/delivery/index.js`)) as typeof DeliveryRoom;
  const room = (await import(`${dist}/gateway/index.js`)) as typeof GatewayRoom;
  const subscribers = new Set<DeliveryRoom.Subscriber>();
  const table = {
    attach: async (channel: string, subscriber: DeliveryRoom.Subscriber) => {
      if (channel.startsWith('~identity:')) subscribers.add(subscriber);
    },
    detach: (_: string, subscriber: DeliveryRoom.Subscriber) => subscribers.delete(subscriber),
  };
  const options = room.gatewayOptions.parse({});
  const root = class Root {};
  const delivery = class Table {};
  const app = await NestFactory.create<NestFastifyApplication>(
    {
      module: root,
      imports: [
        {
          module: delivery,
          global: true,
          providers: [{ provide: Delivery, useValue: table }],
          exports: [Delivery],
        },
        room.GatewayModule.forRoot({ ...options, trustedProxies: [] }),
      ],
    },
    new FastifyAdapter({ http: room.httpServerOptions(options) }),
    { logger: false },
  );
  app.useWebSocketAdapter(new room.WebSocketAdapter(app));
  await app.listen(0, '127.0.0.1');
  return {
    port: (app.getHttpServer().address() as AddressInfo).port,
    publish() {
      const publication = new Publication(
        'bench',
        PAYLOAD,
        'json',
        undefined,
        Date.now(),
        undefined,
        'direct',
      );
      for (const subscriber of subscribers) subscriber.receive(publication);
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

async function plainWs(): Promise<Target> {
  const http: Server = createServer();
  const server = new WebSocketServer({ server: http });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    publish() {
      for (const client of server.clients) client.send(PAYLOAD, { binary: false });
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
      http.close();
    },
  };
}

async function measure(
  name: string,
  open: () => Promise<Target>,
  perTurn: number,
  sockets: number,
  seconds: number,
) {
  await using target = await open();
  const clients = fork(import.meta.filename, ['clients', String(target.port), String(sockets)]);
  const clientSide = { received: 0 };
  const ready = Promise.withResolvers<void>();
  clients.on('message', (message: 'ready' | number) => {
    if (message === 'ready') ready.resolve();
    else clientSide.received = message;
  });
  await ready.promise;
  let published = 0;
  const run = async (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      for (let i = 0; i < perTurn && published - clientSide.received / sockets < WINDOW; i++, published++)
        target.publish();
      await turn();
    }
    while (clientSide.received < published * sockets) await once(clients, 'message');
  };
  await run(500);
  const before = { cpu: process.cpuUsage(), time: performance.now(), received: clientSide.received };
  await run(seconds * 1000);
  const cpu = process.cpuUsage(before.cpu);
  const deliveries = clientSide.received - before.received;
  const rate = deliveries / ((performance.now() - before.time) / 1000);
  const each = (cpu.user + cpu.system) / deliveries;
  console.log(
    `${name.padEnd(34)} ${Math.round(rate).toLocaleString('en').padStart(10)} deliveries/s  ${each.toFixed(2)} µs CPU each`,
  );
  clients.kill();
  await once(clients, 'exit');
}

/** Reports how many frames all sockets have received so far, as often as the loop allows. */
async function beClients(port: number, sockets: number): Promise<void> {
  let bytes = 0;
  const handshake =
    'GET /message HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  await Promise.all(
    Array.from({ length: sockets }, async () => {
      const socket: Socket = connect(port, '127.0.0.1');
      socket.write(handshake);
      await once(socket, 'data');
      socket.on('data', (chunk) => (bytes += chunk.length));
    }),
  );
  process.send?.('ready');
  let reported = 0;
  setInterval(() => {
    const frames = Math.floor(bytes / FRAME_BYTES);
    if (frames !== reported) process.send?.((reported = frames));
  }, 2);
}

if (process.argv[2] === 'clients') {
  await beClients(Number(process.argv[3]), Number(process.argv[4]));
} else {
  const [sockets, seconds] = [Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 3)];
  for (const perTurn of [1, 10, 100]) {
    await measure(`gateway, ${perTurn} a turn`, gateway, perTurn, sockets, seconds);
    await measure(`ws.send per client, ${perTurn} a turn`, plainWs, perTurn, sockets, seconds);
  }
  process.exit();
}
