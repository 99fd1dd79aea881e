/** Clients of the Centrifugo protocol on two processes over a real Redis. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { API_KEY, sign } from '../../support/centrifugo-app.js';
import { ProtocolClient } from '../../support/protocol-client.js';
import { Server } from '../../support/server.js';

describeWithOwn('redis', 'two replicas of the Centrifugo protocol', () => {
  let redis: RunningBroker;
  let servers: [Server, Server];
  const clients: ProtocolClient[] = [];
  let channels = 0;

  beforeAll(async () => {
    redis = await startRedis();
    const start = () =>
      Server.start({
        env: { REDIS_URL: redis.url },
        args: ['--config', resolve('test/golden/config-main.json')],
      });
    servers = [await start(), await start()];
  });

  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.terminate();
  });

  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await redis.dispose();
  });

  const freshChannel = (namespace: string) => `${namespace}:replicas-${channels++}`;

  async function connect(server: Server, user: string): Promise<{ client: ProtocolClient; id: string }> {
    const client = await ProtocolClient.open(`ws://127.0.0.1:${server.port}/connection/websocket`);
    clients.push(client);
    const answer = await client.request({ id: 1, connect: { token: sign({ sub: user }) } });
    return { client, id: (answer.connect as { client: string }).client };
  }

  async function api(server: Server, method: string, params: object): Promise<unknown> {
    const response = await fetch(`${server.url}/api/${method}`, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY },
      body: JSON.stringify(params),
    });
    return ((await response.json()) as { result: unknown }).result;
  }

  it('a publication reaches both, and the publisher before the reply', async () => {
    const channel = freshChannel('benchhist');
    const [here, there] = [await connect(servers[0], 'ann'), await connect(servers[1], 'bob')];
    for (const { client } of [here, there]) await client.request({ id: 2, subscribe: { channel } });
    for (let n = 1; n <= 20; n++) {
      here.client.send({ id: n + 2, publish: { channel, data: { n } } });
      expect(await here.client.nextObject()).toMatchObject({ push: { pub: { data: { n }, offset: n } } });
      expect(await here.client.nextObject()).toEqual({ id: n + 2, publish: {} });
    }
    for (let n = 1; n <= 20; n++)
      expect(await there.client.nextObject()).toMatchObject({ push: { pub: { data: { n }, offset: n } } });
  });

  it('publications that were missed on one are recovered on the other', async () => {
    const channel = freshChannel('small');
    const first = await connect(servers[0], 'ann');
    const { subscribe } = await first.client.request({ id: 2, subscribe: { channel } });
    const { epoch } = subscribe as { epoch: string };
    await api(servers[1], 'publish', { channel, data: 1 });
    expect(await first.client.nextObject()).toMatchObject({ push: { pub: { offset: 1, epoch } } });
    await first.client.close();
    for (const data of [2, 3]) await api(servers[0], 'publish', { channel, data });
    const second = await connect(servers[1], 'ann');
    const recover = { channel, recover: true, offset: 1, epoch };
    const answer = await second.client.request({ id: 2, subscribe: recover });
    expect(answer.subscribe).toMatchObject({ recovered: true, publications: [{ data: 2 }, { data: 3 }] });
  });

  it('presence, joins and leaves include the clients of both', async () => {
    const channel = freshChannel('chat');
    const here = await connect(servers[0], 'ann');
    await here.client.request({ id: 2, subscribe: { channel } });
    expect(await here.client.nextObject()).toMatchObject({ push: { join: { info: { user: 'ann' } } } });
    const there = await connect(servers[1], 'bob');
    await there.client.request({ id: 2, subscribe: { channel } });
    expect(await here.client.nextObject()).toMatchObject({ push: { join: { info: { user: 'bob' } } } });
    const { presence } = await here.client.request({ id: 3, presence: { channel } });
    expect(Object.keys((presence as { presence: object }).presence).toSorted()).toEqual(
      [here.id, there.id].toSorted(),
    );
    there.client.socket.terminate();
    expect(await here.client.nextObject()).toMatchObject({ push: { leave: { info: { user: 'bob' } } } });
    const stats = await here.client.request({ id: 4, presence_stats: { channel } });
    expect(stats.presence_stats).toEqual({ num_clients: 1, num_users: 1 });
  });

  it('commands and messages for a user reach it on either', async () => {
    const { client, id } = await connect(servers[0], 'carl');
    const channel = freshChannel('bench');
    await api(servers[1], 'subscribe', { user: 'carl', channel });
    expect(await client.nextObject()).toMatchObject({ push: { channel, subscribe: {} } });
    for (const query of ['user=carl', `connection=${id}`]) {
      const response = await fetch(`${servers[1].url}/trigger?${query}`, {
        method: 'POST',
        headers: { 'X-API-Key': API_KEY, 'content-type': 'application/json' },
        body: JSON.stringify(query),
      });
      expect(response.ok).toBe(true);
      expect(await client.nextObject()).toEqual({ push: { message: { data: query } } });
    }
    await api(servers[1], 'disconnect', { user: 'carl' });
    expect(await client.ended()).toEqual({ code: 3503, reason: 'force disconnect' });
  });
});

describeWithOwn('redis', 'two replicas with one connection per user', () => {
  let redis: RunningBroker;
  let directory: string;
  let servers: [Server, Server];

  beforeAll(async () => {
    redis = await startRedis();
    directory = await mkdtemp(join(tmpdir(), 'single-'));
    const file = join(directory, 'config.json');
    const personal = { enabled: true, single_connection: true, personal_channel_namespace: 'bench' };
    const config = JSON.parse(await readFile('test/golden/config-main.json', 'utf8')) as { client: object };
    Object.assign(config.client, { subscribe_to_user_personal_channel: personal });
    await writeFile(file, JSON.stringify(config));
    const start = () => Server.start({ env: { REDIS_URL: redis.url }, args: ['--config', file] });
    servers = [await start(), await start()];
  }, 60_000);

  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await redis.dispose();
    await rm(directory, { recursive: true });
  });

  it('keep one of two that connect at the same time', async () => {
    for (let round = 0; round < 20; round++) {
      const user = `user-${round}`;
      const clients = await Promise.all(
        servers.map(({ port }) => ProtocolClient.open(`ws://127.0.0.1:${port}/connection/websocket`)),
      );
      await Promise.all(
        clients.map((client) => client.request({ id: 1, connect: { token: sign({ sub: user }) } })),
      );
      const ends = await Promise.race(
        clients.map(async (client, index) => ({ index, end: await client.ended() })),
      );
      expect(ends.end.code).toBe(3504);
      const other = clients[1 - ends.index]!;
      // Executed after all commands that the two replicas have sent each other.
      const channel = `bench:single-${round}`;
      await fetch(`${servers[ends.index]!.url}/api/subscribe`, {
        method: 'POST',
        headers: { 'X-API-Key': API_KEY },
        body: JSON.stringify({ user, channel }),
      });
      expect(await other.nextObject()).toMatchObject({ push: { channel, subscribe: {} } });
      await other.close();
    }
  });
});
