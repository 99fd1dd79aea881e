/** The shop of examples/in-your-app, with clients of the real JavaScript library. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Carillon, createHttpAdapter, type CarillonOptions } from 'carillon';
import { Centrifuge, type Subscription } from 'centrifuge';
import { register } from 'prom-client';
import { WebSocket } from 'ws';
import { AppModule } from '../../../examples/in-your-app/app.module.js';
import { carillonOptions } from '../../../examples/in-your-app/carillon.options.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('examples/in-your-app', () => {
  let app: NestFastifyApplication;
  let directory: string;
  let options: CarillonOptions;
  let port: number;
  let closing: Promise<void> | undefined;
  const clients: Centrifuge[] = [];

  beforeAll(async () => {
    register.clear();
    directory = await mkdtemp(`${tmpdir()}/carillon-shop-`);
    options = { ...carillonOptions, bus: { drivers: { sqlite: { directory } } } };
    const adapter = createHttpAdapter(options);
    app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(options), adapter, {
      logger: false,
      abortOnError: false,
    });
    await app.listen(0, '127.0.0.1');
    ({ port } = app.getHttpServer().address() as AddressInfo);
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await (closing ?? app.close());
    await rm(directory, { recursive: true });
  });

  const request = (path: string, method = 'GET', body?: unknown, cookie = ''): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : JSON_TYPE), cookie },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const shopper = (cookie: string): Centrifuge => {
    class Socket extends WebSocket {
      constructor(address: string, protocols?: string | string[]) {
        super(address, protocols, { headers: { cookie } });
      }
    }
    const client = new Centrifuge(`ws://127.0.0.1:${port}/connection/websocket`, { websocket: Socket });
    clients.push(client);
    return client;
  };
  const next = <T>(source: Centrifuge | Subscription, event: string): Promise<T> =>
    new Promise(
      (resolve) => void (source as Centrifuge).once(event as 'error', (found) => resolve(found as T)),
    );

  it('shows a customer each change of an order', async () => {
    const ada = shopper('customer=ada');
    const subscription = ada.newSubscription('orders:ada');
    ada.connect();
    subscription.subscribe();
    await subscription.ready();
    const placed = next<{ data: unknown; offset: number }>(subscription, 'publication');
    const order = await (await request('/orders', 'POST', { item: 'tea' }, 'customer=ada')).json();
    expect(order).toEqual({ id: '1', customer: 'ada', item: 'tea', status: 'placed' });
    expect(await placed).toMatchObject({ data: order, offset: 1 });
    const baked = next<{ data: unknown }>(subscription, 'publication');
    expect((await request('/orders/1/status', 'PUT', { status: 'cancelled' })).status).toBe(200);
    expect((await baked).data).toMatchObject({ id: '1', status: 'cancelled' });

    expect(await (await request('/orders/of/ada/watching')).json()).toEqual([
      { client: expect.any(String), user: 'ada' },
    ]);
    expect(await (await request('/orders/of/ada/changes')).json()).toMatchObject({
      offset: 2,
      publications: [
        { offset: 1, data: { status: 'placed' } },
        { offset: 2, data: { status: 'cancelled' } },
      ],
    });
    expect((await ada.rpc('orders', null)).data).toEqual([{ ...(order as object), status: 'cancelled' }]);
    const gone = next<{ code: number; reason: string }>(ada, 'disconnected');
    expect((await request('/orders/of/ada/sign-out', 'POST')).status).toBe(204);
    expect(await gone).toMatchObject({ code: 4500, reason: 'signed out' });
  });

  it('lets a customer follow only their own orders, and no visitor connect', async () => {
    const eve = shopper('customer=eve');
    const others = eve.newSubscription('orders:ada');
    const refusal = next<{ code: number }>(others, 'unsubscribed');
    eve.connect();
    others.subscribe();
    expect(await refusal).toMatchObject({ code: 103 });
    const visitor = shopper('');
    const closed = next<{ code: number }>(visitor, 'disconnected');
    visitor.connect();
    expect(await closed).toMatchObject({ code: 3507 });
    expect((await request('/orders', 'POST', { item: 'tea' })).status).toBe(403);
  });

  it('leaves errors of the application to Nest, and reports those of Carillon in their own format', async () => {
    const missing = await request('/orders/99/status', 'PUT', { status: 'baked' });
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { statusCode: 404, message: 'there is no order 99', error: 'Not Found' },
    ]);
    const malformed = await fetch(`http://127.0.0.1:${port}/orders/1/status`, {
      method: 'PUT',
      headers: JSON_TYPE,
      body: '{"status":',
    });
    expect([malformed.status, await malformed.json()]).toEqual([
      400,
      expect.objectContaining({ statusCode: 400 }),
    ]);
    const target = await request('/trigger?user=ada', 'POST', { hello: true });
    expect([target.status, await target.json()]).toEqual([
      403,
      { error: { code: 'api_key_not_configured', message: expect.any(String) } },
    ]);
    const invalid = await request('/trigger?delay=x', 'POST', { hello: true });
    expect([invalid.status, await invalid.json()]).toEqual([
      400,
      { error: { code: 'invalid_delay', message: expect.any(String) } },
    ]);
    const carillon = app.get(Carillon, { strict: false });
    await expect(carillon.publish('unknown:ada', 1)).rejects.toMatchObject({ code: 'unknown_namespace' });
  });

  it('is ready while the application runs', async () => {
    expect((await request('/health/ready')).status).toBe(200);
  });

  it('offers the operations to the application, with bounds', async () => {
    const carillon = app.get(Carillon, { strict: false });
    const id = await carillon.schedule('orders:bob', 'later', { at: new Date(Date.now() + 60_000) });
    await carillon.cancel(id);
    await expect(carillon.cancel(id)).rejects.toMatchObject({ code: 'unknown_schedule' });
    const results = await carillon.broadcast(['orders:bob', 'unknown:bob'], Buffer.from('{"a":1}'), {
      tags: { kind: 'test' },
    });
    expect(results).toEqual([
      { channel: 'orders:bob', published: expect.objectContaining({ offset: 1 }) },
      { channel: 'unknown:bob', error: expect.objectContaining({ code: 'unknown_namespace' }) },
    ]);
    await carillon.publish('orders:bob', Buffer.from([0xff, 0]));
    const { publications } = await carillon.history('orders:bob', { limit: 10, reverse: true });
    expect(publications.map(({ data, tags }) => [data, tags])).toEqual([
      [Buffer.from([0xff, 0]), undefined],
      [{ a: 1 }, { kind: 'test' }],
    ]);
    const large = 'x'.repeat(65_535);
    await expect(carillon.publish('orders:bob', large)).rejects.toMatchObject({ code: 'payload_too_large' });
    for (const data of [undefined, 1n, () => {}])
      await expect(carillon.publish('orders:bob', data)).rejects.toMatchObject({ code: 'unencodable_data' });
    for (const afterMs of [-1, 1.5, Number.NaN])
      await expect(carillon.schedule('orders:bob', 1, { afterMs })).rejects.toMatchObject({
        code: 'invalid_argument',
      });
    const ancient = carillon.schedule('orders:bob', 1, { at: new Date(0) });
    await expect(ancient).rejects.toMatchObject({ code: 'deliver_at_in_past' });
    const unfit = carillon.disconnect('bob', { code: 1 });
    await expect(unfit).rejects.toMatchObject({ code: 'invalid_disconnect' });
  });

  it('tells clients to reconnect when the application closes', async () => {
    const ada = shopper('customer=ada');
    ada.connect();
    await ada.ready();
    const told = next<{ code: number }>(ada, 'connecting');
    closing = app.close();
    expect(await told).toMatchObject({ code: 3001 });
    ada.disconnect();
    await closing;
  });
});

describe('an application with wrong options', () => {
  it('gets one error with all faults', () => {
    const options = {
      server: { workers: 2, port: -1 },
      gateway: { forwardedHeader: ['Cookie'] },
    } as CarillonOptions;
    expect(() => AppModule.forRoot(options)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(
          /2 faults[^]*gateway\.forwardedHeader in the options is unknown[^]*server\.port: /,
        ),
      }),
    );
    expect(() => AppModule.forRoot({ server: { workers: 'auto' } })).toThrow(
      /server\.workers: an application is one/,
    );
  });

  it('gets an error that names the adapter, if it was created with another one', async () => {
    register.clear();
    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot({ ...carillonOptions, bus: { drivers: { sqlite: { directory: ':memory:' } } } }),
      new FastifyAdapter(),
      { logger: false, abortOnError: false },
    );
    await expect(app.init()).rejects.toMatchObject({
      code: 'http_adapter_missing',
      message: expect.stringMatching(/createHttpAdapter\(options\)\), not with FastifyAdapter/),
    });
    await app.close();
  });
});

it('is what docs/embedding.md shows', () => {
  const shown = [...readFileSync('docs/embedding.md', 'utf8').matchAll(/```ts (\S+)\n([^]*?)```/g)];
  expect(shown.map(([, name = '']) => name).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'app.module.ts',
    'carillon.options.ts',
    'main.ts',
    'orders.ts',
    'shop.authorizer.ts',
  ]);
  for (const [, name = '', text] of shown)
    expect(text).toBe(readFileSync(`examples/in-your-app/${name}`, 'utf8'));
});
