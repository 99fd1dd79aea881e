/** Two machines with two workers each, over one Redis. */
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeWithOwn, startRedis, type RunningBroker } from '../../support/brokers.js';
import { API_KEY, sign } from '../../support/centrifugo-app.js';
import { ProtocolClient } from '../../support/protocol-client.js';
import { Server } from '../../support/server.js';

/** Clients per machine: enough that both of its workers have some. */
const CROWD = 12;

interface Member {
  readonly client: ProtocolClient;
  readonly node: string;
}

describeWithOwn('redis', 'two machines of two workers', () => {
  let redis: RunningBroker;
  let machines: readonly [Server, Server];
  let clients: ProtocolClient[];

  beforeEach(async () => {
    redis = await startRedis();
    clients = [];
    const start = () =>
      Server.start({
        env: { WORKERS: '2', REDIS_URL: redis.url },
        args: ['--config', resolve('test/golden/config-main.json')],
      });
    machines = await Promise.all([start(), start()]);
  });
  afterEach(async () => {
    for (const { socket } of clients) socket.terminate();
    await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
    await redis.dispose();
  });

  async function connect({ port }: Server): Promise<Member> {
    const client = await ProtocolClient.open(`ws://127.0.0.1:${port}/connection/websocket`);
    clients.push(client);
    const reply = await client.request({ id: 1, connect: { token: sign({ sub: 'ann' }) } });
    return { client, node: (reply.connect as { client: string }).client.slice(0, 8) };
  }

  async function subscribers(machine: Server, channel: string): Promise<readonly Member[]> {
    const members = await Promise.all(Array.from({ length: CROWD }, () => connect(machine)));
    await Promise.all(members.map(({ client }) => client.request({ id: 2, subscribe: { channel } })));
    return members;
  }

  async function api(machine: Server, method: string, params: object): Promise<unknown> {
    const response = await fetch(`${machine.url}/api/${method}`, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY },
      body: JSON.stringify(params),
    });
    return ((await response.json()) as { result: unknown }).result;
  }

  async function offsets({ client }: Member, count: number): Promise<number[]> {
    const received: number[] = [];
    while (received.length < count) {
      const { push } = (await client.nextObject()) as { push: { pub: { offset: number } } };
      received.push(push.pub.offset);
    }
    return received;
  }

  it('deliver once to the clients of all four workers, whichever machine publishes', async () => {
    const members = (await Promise.all(machines.map((machine) => subscribers(machine, 'small:all')))).flat();
    expect(new Set(members.map(({ node }) => node)).size).toBe(4);
    const wanted = Array.from({ length: 20 }, (_, index) => index + 1);
    for (const n of wanted) await api(machines[n % 2]!, 'publish', { channel: 'small:all', data: { n } });
    for (const member of members) expect(await offsets(member, wanted.length)).toEqual(wanted);
    // A duplicate would arrive before the replies to these requests.
    await Promise.all(
      members.map(({ client }) => client.request({ id: 3, presence_stats: { channel: 'x:y' } })),
    );
    expect(members.flatMap(({ client }) => client.messages)).toEqual([]);
  });

  it('recover a client that was connected to the other machine, and list all four nodes', async () => {
    const [first] = await subscribers(machines[0], 'small:move');
    const { epoch } = (await api(machines[0], 'publish', { channel: 'small:move', data: 1 })) as {
      epoch: string;
    };
    expect(await offsets(first!, 1)).toEqual([1]);
    for (const data of [2, 3]) await api(machines[0], 'publish', { channel: 'small:move', data });
    for (let attempt = 0; attempt < 4; attempt++) {
      const { client } = await connect(machines[1]);
      const recover = { channel: 'small:move', recover: true, offset: 1, epoch };
      const { subscribe } = await client.request({ id: 2, subscribe: recover });
      expect(subscribe).toMatchObject({ recovered: true, publications: [{ data: 2 }, { data: 3 }] });
    }
    const { nodes } = (await api(machines[1], 'info', {})) as { nodes: object[] };
    expect(nodes).toHaveLength(4);
  });

  it('drain one machine while the other one continues', async () => {
    const channel = 'chat:drain';
    const [leaving, staying] = [
      await subscribers(machines[0], channel),
      await subscribers(machines[1], channel),
    ];
    const ends = leaving.map(({ client }) => client.ended());
    expect(await machines[0].stop()).toBe(0);
    expect(await Promise.all(ends)).toEqual(ends.map(() => ({ code: 3001, reason: 'shutdown' })));
    expect(await api(machines[1], 'presence_stats', { channel })).toEqual({
      num_clients: CROWD,
      num_users: 1,
    });
    await api(machines[1], 'publish', { channel, data: 'still here' });
    for (const { client } of staying) {
      let text = '';
      while (!text.includes('still here')) text = await client.next();
    }
  });
});
