/** Tests histories, presence and subscriptions during a failover of Redis. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../src/bus/index.js';
import { Publication, type StreamPosition } from '../../../src/delivery/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import {
  describeWithOwn,
  startRedisCluster,
  startRedisSentinel,
  type RunningBroker,
  type RunningRedisCluster,
  type RunningRedisSentinel,
} from '../../support/brokers.js';
import { HistoryInbox, type HistoryNode, type SharedHistorySubject } from './history.contract.js';
import { redisEngines } from './redis-engine.open.js';

/**
 * Publishing has to work again within this time. The servers take about two seconds to detect the failure, and one to elect a
 * master. A Sentinel that was suspended for two seconds on a busy machine does not take part for thirty.
 */
const TAKEN_OVER_WITHIN_MS = 60_000;
const terms = { size: 10_000, ttlMs: 60_000, metaTtlMs: 60_000 };

/** An application that publishes one number after another, and repeats each until it is accepted. */
class Stream {
  readonly accepted = new Map<string, StreamPosition>();
  #next = 0;

  constructor(
    private readonly node: Pick<HistoryNode, 'history'>,
    private readonly channel: string,
  ) {}

  async publish(count: number): Promise<void> {
    for (const end = this.#next + count; this.#next < end; this.#next++) await this.#publish(`${this.#next}`);
  }

  async #publish(id: string): Promise<void> {
    const publication = new Publication({
      channel: this.channel,
      data: Buffer.from(id),
      format: 'json',
      id,
      createdAt: 0,
      lane: 'direct',
    });
    const idempotency = { key: `id:${id}`, ttlMs: 60_000 };
    const place = await persistently(() =>
      this.node.history.publish(publication, { history: terms, idempotency }),
    );
    this.accepted.set(id, place!);
  }
}

/** Repeats the call until Redis is available. */
async function persistently<Result>(call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      await delay(20);
    }
  }
}

async function open(subject: SharedHistorySubject): Promise<HistoryNode> {
  const inbox = new HistoryInbox();
  return { ...(await subject.open(inbox)), inbox };
}

/** Expects that every accepted publication has arrived, and that the history is consistent: no position was assigned twice. */
async function expectConsistent(
  channel: string,
  { accepted }: Stream,
  { history, inbox }: HistoryNode,
): Promise<void> {
  const hasArrived = (): boolean =>
    new Set(accepted.keys()).isSubsetOf(new Set(inbox.of(channel).map(({ id }) => id)));
  await inbox.until(hasArrived);
  const places = new Map<string, string | undefined>();
  for (const { id, epoch, offset } of inbox.of(channel)) {
    const place = `${epoch} ${offset}`;
    expect([undefined, id]).toContain(places.get(place));
    places.set(place, id);
  }
  const { publications, epoch, offset } = await history.read(channel, { limit: -1, metaTtlMs: 60_000 });
  expect(publications.map((each) => each.offset)).toEqual(
    Array.from({ length: offset }, (_, index) => index + 1),
  );
  const last = [...accepted].at(-1);
  expect(last?.[1]).toEqual({ epoch, offset });
  expect(publications.at(-1)?.id).toBe(last?.[0]);
}

describeWithOwn('redis', 'the Redis engine behind Sentinels', () => {
  let redis: RunningRedisSentinel;
  beforeEach(async () => {
    redis = await startRedisSentinel();
  });
  afterEach(() => redis.dispose());

  it.each([false, true])('follows a failover (sharded: %s)', async (sharded) => {
    const engines = redisEngines(redis.brokers, {
      sharded,
      sentinels: redis.sentinels.map(({ host, port }) => `${host}:${port}`),
      sentinelMaster: redis.name,
    });
    const keeper = await engines.presence.open();
    const [here, there] = [await open(engines), await open(engines)];
    await there.fanout.subscribe('a');
    const stream = new Stream(here, 'a');
    await keeper.presence.add('a', { user: 'ann', client: 'c1' }, 60_000);
    await stream.publish(100);
    const master = await redis.master();
    const began = performance.now();
    await redis.brokers[0]!.kill();
    await stream.publish(100);
    expect(performance.now() - began).toBeLessThan(TAKEN_OVER_WITHIN_MS);
    expect(await redis.master()).not.toEqual(master);
    await expectConsistent('a', stream, there);
    await there.inbox.until(() => there.inbox.interruptions > 0);
    // Connections renew their presence regularly.
    await persistently(() => keeper.presence.add('a', { user: 'ann', client: 'c1' }, 60_000));
    expect(await keeper.presence.stats('a')).toEqual({ clients: 1, users: 1 });
    await Promise.all([here.fanout.close(), there.fanout.close(), keeper.close()]);
  });
});

describeWithOwn('redis', 'the Redis engine on a Cluster with replicas, sharded', () => {
  let cluster: RunningRedisCluster;
  let engines: SharedHistorySubject & ReturnType<typeof redisEngines>;
  let here: HistoryNode;
  let there: HistoryNode;
  let stream: Stream;

  beforeEach(async () => {
    cluster = await startRedisCluster({ replicas: 1 });
    engines = redisEngines(cluster.brokers, {
      sharded: true,
      clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
    });
    [here, there] = [await open(engines), await open(engines)];
    stream = new Stream(here, 'a');
    await there.fanout.subscribe('a');
    await stream.publish(100);
  });
  afterEach(async () => {
    await Promise.all([here.fanout.close(), there.fanout.close()]);
    await cluster.dispose();
  });

  /** Returns the node at which the channel has its subscribers, and the slot of the channel. */
  async function homeOf(channel: string): Promise<{ readonly master: RunningBroker; readonly slot: string }> {
    const masters = cluster.brokers.slice(0, 3);
    for (const master of masters) {
      const name = await redisCli(master.url, 'PUBSUB', 'SHARDCHANNELS', `*:channel:${channel}`);
      if (name !== '') return { master, slot: await redisCli(master.url, 'CLUSTER', 'KEYSLOT', name) };
    }
    throw new Error(`${channel} has no subscriber`);
  }

  it('follows a failover', async () => {
    const { master } = await homeOf('a');
    const began = performance.now();
    await master.kill();
    await stream.publish(100);
    expect(performance.now() - began).toBeLessThan(TAKEN_OVER_WITHIN_MS);
    await expectConsistent('a', stream, there);
    await there.inbox.until(() => there.inbox.interruptions > 0);
  });

  it('follows a slot that moves to another node with its data', async () => {
    const { master, slot } = await homeOf('a');
    const keeper = await engines.presence.open();
    await keeper.presence.add('a', { user: 'ann', client: 'c1' }, 60_000);
    const target = cluster.brokers.slice(0, 3).find((each) => each !== master)!;
    const moving = moveSlot(slot, master, target, cluster.brokers.slice(0, 3));
    await stream.publish(200);
    await moving;
    await stream.publish(100);
    await expectConsistent('a', stream, there);
    const epochs = new Set([...stream.accepted.values()].map(({ epoch }) => epoch));
    expect(epochs.size).toBe(1);
    expect(stream.accepted.get('399')?.offset).toBe(400);
    expect(await keeper.presence.stats('a')).toEqual({ clients: 1, users: 1 });
    await keeper.close();
  });
});

/** Moves a given slot, as `redis-cli --cluster reshard` does. */
async function moveSlot(
  slot: string,
  from: RunningBroker,
  to: RunningBroker,
  masters: readonly RunningBroker[],
): Promise<void> {
  const [fromId, toId] = await Promise.all([from, to].map(({ url }) => redisCli(url, 'CLUSTER', 'MYID')));
  await redisCli(to.url, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
  await redisCli(from.url, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
  const { hostname, port } = new URL(to.url);
  for (;;) {
    const keys = (await redisCli(from.url, 'CLUSTER', 'GETKEYSINSLOT', slot, '100'))
      .split('\n')
      .filter(Boolean);
    if (keys.length === 0) break;
    await redisCli(from.url, 'MIGRATE', hostname, port, '', '0', '5000', 'KEYS', ...keys);
  }
  for (const { url } of [to, from, ...masters])
    await redisCli(url, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
}
