/** The roles of one deployment in three processes, over one Redis. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWith, sharedBroker } from '../../support/brokers.js';
import { ProtocolClient } from '../../support/protocol-client.js';
import { Server } from '../../support/server.js';

const API_KEY = 'a-key-for-the-tests-0123';

type Role = 'gateway' | 'trigger' | 'consumers';

describeWith('redis', 'gateway, trigger and consumers in processes of their own', () => {
  let env: Readonly<Record<string, string>>;
  let gateway: Server;
  let trigger: Server;
  let consumers: Server;

  const start = (role: Role): Promise<Server> => Server.start({ env, args: ['--role', role] });

  beforeAll(async () => {
    const { url } = await sharedBroker('redis');
    const prefix = randomUUID();
    env = {
      REDIS_URL: url,
      CARILLON_BUS_DRIVERS_REDIS_KEY_PREFIX: prefix,
      CARILLON_DELIVERY_FANOUT_KEY_PREFIX: prefix,
      CARILLON_API_KEY: API_KEY,
      CARILLON_GATEWAY_CLIENT_INSECURE: 'true',
    };
    [gateway, trigger, consumers] = await Promise.all([
      start('gateway'),
      start('trigger'),
      start('consumers'),
    ]);
  });
  afterAll(async () => {
    for (const server of [gateway, trigger, consumers]) await server?.[Symbol.asyncDispose]();
  });

  it('deliver a push to the trigger, instant and delayed, to a socket of the gateway', async () => {
    const client = await gateway.connect('apart');
    const askedAt = Date.now();
    const { status } = await trigger.trigger('"hello"', { userAgent: 'apart', query: 'delay=1000' });
    expect(status).toBe(202);
    const [instant, delayed] = await client.receives(2);
    expect([instant?.text, delayed?.text]).toEqual(['"hello"', '"hello"']);
    expect(delayed?.at).toBeGreaterThanOrEqual(askedAt + 1_000);
    await client.close();
  });

  it.each<[Role, () => Server, Record<string, number>]>([
    ['gateway', () => gateway, { '/trigger': 404, '/schedules': 404, '/api/info': 404, '/message': 426 }],
    ['trigger', () => trigger, { '/trigger': 405, '/schedules': 200, '/api/info': 401, '/message': 404 }],
    ['consumers', () => consumers, { '/trigger': 404, '/schedules': 404, '/api/info': 404, '/message': 404 }],
  ])('serve health, metrics and what their role is for: %s', async (role, serverOf, expected) => {
    const server = serverOf();
    const paths = { '/health': 200, '/health/live': 200, '/health/ready': 200, '/metrics': 200, ...expected };
    const found: Record<string, number> = {};
    for (const path of Object.keys(paths))
      found[path] = (
        await fetch(server.url + path, { method: path === '/api/info' ? 'POST' : 'GET' })
      ).status;
    expect(found).toEqual(paths);
    const { brokers } = (await (await fetch(`${server.url}/health/ready`)).json()) as { brokers: object };
    const names = Object.keys(brokers);
    expect(names).toContain('redis (fan-out, publishing)');
    expect(names.includes('lane consumers')).toBe(role === 'consumers');
    expect(names.includes('redis (delayed lane)')).toBe(role !== 'gateway');
    expect(server.output).toMatch(new RegExp(`roles: ${role}"`));
  });

  it('opens no socket without the gateway role', async () => {
    await expect(consumers.connect('apart')).rejects.toThrow('404');
    await expect(trigger.connect('apart')).rejects.toThrow('404');
  });

  it('stop delivery from the lanes with the consumers, and continue it with their next start', async () => {
    const publish = async (data: string, route: object = {}): Promise<void> => {
      const response = await fetch(`${trigger.url}/api/publish`, {
        method: 'POST',
        headers: { 'X-API-Key': API_KEY },
        body: JSON.stringify({ channel: 'news', data, ...route }),
      });
      expect(await response.json()).toHaveProperty('result');
    };
    const client = await ProtocolClient.open(`ws://127.0.0.1:${gateway.port}/connection/websocket`);
    await client.request({ id: 1, connect: {} });
    await client.request({ id: 2, subscribe: { channel: 'news' } });
    const received = async (): Promise<unknown> =>
      ((await client.nextObject()) as { push: { pub: { data: unknown } } }).push.pub.data;

    expect(await consumers.stop()).toBe(0);
    await publish('instant', { via: 'bus' });
    await publish('delayed', { delay: 1 });
    const dueAt = Date.now() + 1;
    // Published without a lane, so that it needs no consumer.
    while (Date.now() <= dueAt) await publish('direct');
    expect(await received()).toBe('direct');
    expect(client.messages.join()).not.toMatch(/instant|delayed/);
    consumers = await start('consumers');
    const later = new Set<unknown>();
    while (!later.has('instant') || !later.has('delayed')) later.add(await received());
    client.socket.terminate();
  });
});

describe('a combination of roles that cannot work', () => {
  it.each([
    ['gateway', 'gateway cannot run here without trigger and consumers while delivery.fanout.kind is local'],
    ['trigger', 'trigger cannot run here without consumers while bus.instant.driver is memory'],
    ['consumers', 'consumers cannot run here without trigger while bus.delayed.driver is sqlite'],
    ['gateway,consumers', 'consumers cannot run here without trigger while bus.instant.driver is memory'],
    ['gatway', 'unknown role gatway: did you mean gateway? Accepted are all, gateway, trigger, consumers'],
  ])('is refused at the start: %s', async (role, words) => {
    await using server = await Server.spawn({ args: ['--role', role] });
    expect(await server.exited()).toBe(1);
    expect(server.output).toContain(words);
  });

  it('is refused with workers as well', async () => {
    await using server = await Server.spawn({ env: { WORKERS: '2', CARILLON_SERVER_ROLES: 'trigger' } });
    expect(await server.exited()).toBe(1);
    expect(server.output).toContain('server.roles: trigger cannot run here without consumers');
  });
});

describeWith('redis', 'a role with two workers', () => {
  it('serves its role from both, and the primary opens no store that the role does not use', async () => {
    const { url } = await sharedBroker('redis');
    const env = { REDIS_URL: url, CARILLON_DELIVERY_FANOUT_KEY_PREFIX: randomUUID(), WORKERS: '2' };
    await using server = await Server.start({ env, args: ['--role', 'gateway'] });
    const clients = await Promise.all(Array.from({ length: 12 }, () => server.connect('workers')));
    expect(new Set(clients.map(({ id }) => id.slice(0, 8))).size).toBe(2);
    expect((await fetch(`${server.url}/trigger`, { method: 'POST' })).status).toBe(404);
    const ready = (await (await fetch(`${server.url}/health/ready`)).json()) as { brokers: object };
    expect(Object.keys(ready.brokers).toSorted()).toEqual([
      'primary process',
      'redis (fan-out, publishing)',
      'redis (fan-out, subscriptions)',
    ]);
  });
});
