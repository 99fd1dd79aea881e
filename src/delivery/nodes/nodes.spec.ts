import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BrokerUnavailableError } from '../../bus/index.js';
import { NodeSilentError, SurveyIncompleteError } from '../delivery.errors.js';
import type { Fanout } from '../fanout.port.js';
import { Publication } from '../publications/publication.js';
import { Subscribers } from '../subscribers/subscribers.js';
import type { ControlCommand } from './control-command.js';
import { Nodes } from './nodes.js';

/** Connects nodes within one process. Silent nodes receive nothing. */
class Hub {
  readonly #nodes = new Map<string, Subscribers>();
  readonly silent = new Set<string>();
  isUnavailable = false;

  join(uid: string, subscribers: Subscribers): Fanout {
    this.#nodes.set(uid, subscribers);
    return {
      repeats: false,
      publish: async (publication: Publication) => {
        if (this.isUnavailable) throw new BrokerUnavailableError('redis', 'it is unavailable');
        for (const [name, node] of this.#nodes) if (!this.silent.has(name)) node.deliver(publication);
      },
      subscribe: async () => {},
      unsubscribe: () => {},
      close: async () => {},
    };
  }
}

describe('Nodes', () => {
  let hub: Hub;
  let opened: Nodes[];

  const open = async (uid: string, channels: Record<string, number> = {}) => {
    const subscribers = new Subscribers((fault) => {
      throw fault;
    });
    for (const [channel, count] of Object.entries(channels))
      for (let n = 0; n < count; n++) subscribers.attach(channel, { receive: () => {} });
    const options = {
      uid,
      name: `node ${uid}`,
      version: '1.2.3',
      announceIntervalMs: 3_000,
      surveyTimeoutMs: 1_000,
      totals: async () => ({ carillon_things_total: 4 }),
    };
    const nodes = new Nodes(hub.join(uid, subscribers), subscribers, options);
    const commands: ControlCommand[] = [];
    nodes.onCommand((command) => void commands.push(command));
    nodes.start();
    opened.push(nodes);
    await jest.advanceTimersByTimeAsync(0);
    return { nodes, commands, uids: async () => (await nodes.list()).map((node) => node.uid) };
  };

  beforeEach(() => {
    jest.useFakeTimers();
    hub = new Hub();
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((nodes) => nodes.close()));
    jest.useRealTimers();
  });

  it('list each other at once, themselves first', async () => {
    const [a, b] = [await open('a'), await open('b')];
    expect(await a.uids()).toEqual(['a', 'b']);
    expect(await b.uids()).toEqual(['b', 'a']);
  });

  it('announce their clients and subscriptions', async () => {
    const a = await open('a', { x: 2, y: 1, '~user:u': 5 });
    a.nodes.describeAudience(() => ({ numClients: 3, numUsers: 2 }));
    const b = await open('b');
    expect((await b.nodes.list())[1]).toEqual({
      uid: 'a',
      name: 'node a',
      version: '1.2.3',
      numClients: 3,
      numUsers: 2,
      numSubs: 3,
      numChannels: 2,
      uptime: expect.any(Number),
      metrics: { carillon_things_total: 4 },
      process: { cpu: expect.any(Number), rss: expect.any(Number) },
    });
  });

  it('remove a node that shuts down, and one that is silent', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const c = await open('c');
    await b.nodes.close();
    expect(await a.uids()).toEqual(['a', 'c']);
    hub.silent.add('a');
    await jest.advanceTimersByTimeAsync(8_000);
    expect(await a.uids()).toEqual(['a', 'c']);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await a.uids()).toEqual(['a']);
    expect(await c.uids()).toEqual(['c', 'a']);
  });

  it('execute a command on each node, byte for byte', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const commands: ControlCommand[] = [
      {
        kind: 'subscribe',
        user: 'u',
        client: 'c',
        channel: 'ch',
        info: Buffer.from('{"ü":"🔔"}'),
        data: Buffer.from([0, 255]),
        expiresAt: 5,
        recoverSince: { offset: 7, epoch: 'AbCdEfGh' },
        override: { presence: true },
      },
      { kind: 'unsubscribe', user: '', channel: 'ch' },
      { kind: 'disconnect', user: 'u', whitelist: ['x'], disconnect: { code: 4_000, reason: 'bye' } },
      { kind: 'refresh', user: 'u', session: 's', expired: false, info: Buffer.from('1') },
    ];
    for (const command of commands) await a.nodes.command(command);
    expect(a.commands).toEqual(commands);
    expect(b.commands).toEqual(commands);
  });

  it('reject a command that the store does not accept', async () => {
    const a = await open('a');
    hub.isUnavailable = true;
    const commanding = a.nodes.command({ kind: 'unsubscribe', user: 'u', channel: 'ch' });
    await expect(commanding).rejects.toThrow(BrokerUnavailableError);
    await expect(a.nodes.channels('*')).resolves.toEqual(new Map());
  });

  it('add up the subscribers of each channel', async () => {
    const a = await open('a', { 'chat:1': 2, news: 1 });
    await open('b', { 'chat:1': 1, 'chat:2': 4, '~user:u': 1 });
    await open('c', { 'chat:2': 1 });
    expect(await a.nodes.channels('chat:*')).toEqual(
      new Map([
        ['chat:1', 3],
        ['chat:2', 5],
      ]),
    );
    expect((await a.nodes.channels('')).size).toBe(3);
  });

  it('report which reply is missing', async () => {
    const a = await open('a', { x: 1 });
    await open('b');
    hub.silent.add('b');
    const asking = a.nodes.channels('*').catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await asking).toEqual(new SurveyIncompleteError(['b']));
  });

  it('do not wait for a node that shuts down', async () => {
    const a = await open('a', { x: 1 });
    const b = await open('b');
    hub.silent.add('b');
    const asking = a.nodes.channels('*');
    await jest.advanceTimersByTimeAsync(100);
    await b.nodes.close();
    expect(await asking).toEqual(new Map([['x', 1]]));
  });

  it('ask one another, byte for byte', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const asked: string[] = [];
    for (const [name, { nodes }] of [
      ['a', a],
      ['b', b],
    ] as const)
      nodes.answer('echo', async (body) => {
        asked.push(name);
        return Buffer.concat([Buffer.from(name), body]);
      });
    const body = Buffer.from([0, 255]);
    expect(await a.nodes.ask('b', 'echo', body)).toEqual(Buffer.from([0x62, 0, 255]));
    expect(await a.nodes.ask('a', 'echo', body)).toEqual(Buffer.from([0x61, 0, 255]));
    expect(asked).toEqual(['b', 'a']);
  });

  it('report a node that does not answer', async () => {
    const [a, b] = [await open('a'), await open('b')];
    b.nodes.answer('broken', () => Promise.reject(new Error('no')));
    for (const [node, subject] of [
      ['b', 'broken'],
      ['b', 'unknown'],
      ['gone', 'echo'],
    ] as const) {
      const asking = a.nodes.ask(node, subject, Buffer.alloc(0)).catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(1_000);
      expect(await asking).toEqual(new NodeSilentError(node));
    }
    hub.isUnavailable = true;
    await expect(a.nodes.ask('b', 'echo', Buffer.alloc(0))).rejects.toThrow(BrokerUnavailableError);
  });

  it('ignore unknown messages', async () => {
    const a = await open('a');
    const strange = ['', '{', 'null', '1', '{"say":1}', '{"say":"later"}'];
    const subscribers = new Subscribers(() => {});
    const fanout = hub.join('other', subscribers);
    for (const text of strange) {
      const data = Buffer.from(text);
      await fanout.publish(
        new Publication({ channel: '~control', data, format: 'json', createdAt: 0, lane: 'direct' }),
      );
    }
    expect(await a.uids()).toEqual(['a']);
  });
});
