import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { publishBatch } from '../../../src/delivery/adapters/redis/publish-batch.js';
import { generationKey, historyKey, metaKey } from '../../../src/delivery/adapters/redis/keys.js';
import { createPartitions, type Partition } from '../../../src/delivery/adapters/redis/partition.js';
import { envelopesIn } from '../../../src/delivery/publications/publication-envelope.js';
import {
  toResend,
  type PublishResult,
  type RedisPublication,
  type StoreRequest,
} from '../../../src/delivery/adapters/redis/redis-publication.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';

const CHANNEL = 'news';
const HISTORY = { size: 10, ttlMs: 60_000, metaTtlMs: 60_000 };
const TTL_MS = 60_000;

describeWith('redis', 'Publishing over Redis', () => {
  let redis: Redis;
  let partition: Partition;
  beforeAll(async () => {
    redis = new Redis((await sharedBroker('redis')).url);
  });
  afterAll(() => redis.disconnect());
  beforeEach(() => {
    const keyPrefix = randomBytes(4).toString('hex');
    [partition] = createPartitions(keyPrefix, 1) as [Partition];
  });

  const publication = (text: string, store?: Partial<StoreRequest>): RedisPublication => ({
    partition,
    channel: `${partition.tag}:${CHANNEL}`,
    envelope: Buffer.from(text),
    isRepeatable: true,
    ...(store === undefined
      ? {}
      : { store: { channel: CHANNEL, conditions: { history: HISTORY }, delta: false, ...store } }),
  });
  const send = (...publications: RedisPublication[]) =>
    publishBatch(redis, publications, { sharded: false, maxPerStream: 100 });
  const stored = async () => {
    const entries = await redis.xrange(historyKey(partition, CHANNEL), '-', '+');
    return entries.map(([id, [, envelope]]) => [id, envelope]);
  };
  const positionOf = (result: PublishResult | undefined) => {
    if (result === undefined || 'failure' in result) throw new Error(`failed: ${String(result?.failure)}`);
    return result.position;
  };

  it('sends the publications of a batch in order, whether they are stored or not', async () => {
    const subscriber = redis.duplicate();
    await subscriber.subscribe(`${partition.tag}:${CHANNEL}`);
    const received: string[] = [];
    const everything = new Promise<void>((resolve) => {
      subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
        for (const envelope of envelopesIn(message)) received.push(envelope.toString().slice(-1));
        if (received.at(-1) === '5') resolve();
      });
    });
    const result = { key: `${partition.tag}:answer`, ttlMs: TTL_MS };
    const results = await send(
      publication('1'),
      publication('2', {}),
      publication('3', { result }),
      publication('3', { result }),
      publication('4'),
      publication('5'),
    );
    await everything;
    subscriber.disconnect();
    expect(received).toEqual(['1', '2', '3', '4', '5']);
    expect(await stored()).toEqual([
      ['1-0', '2'],
      ['2-0', '3'],
    ]);
    expect(positionOf(results[3])).toBe(positionOf(results[2]));
    expect(await redis.xlen(partition.key)).toBe(5);
  });

  it('publishes the other publications if one fails', async () => {
    const channel = 'broken';
    await redis.set(metaKey(partition, channel), 'no hash');
    const results = await send(publication('1', {}), publication('2', { channel }), publication('3', {}));
    expect(results[1]).toMatchObject({ failure: { message: expect.stringContaining('WRONGTYPE') } });
    expect([results[0], results[2]].map(positionOf).map((position) => position.split(':')[0])).toEqual([
      '1',
      '2',
    ]);
    expect(await stored()).toEqual([
      ['1-0', '1'],
      ['2-0', '3'],
    ]);
  });

  it('does not send a publication again that was not lost', async () => {
    const first = publication('1', {});
    const position = positionOf((await send(first))[0]);
    expect(positionOf((await send(toResend(first, position, TTL_MS)))[0])).toBe(position);
    expect(await stored()).toEqual([['1-0', '1']]);
  });

  it('sends a lost publication once, even if it is sent again several times', async () => {
    const first = publication('1', {});
    const position = positionOf((await send(first))[0]);
    await redis.set(generationKey(partition), 'next');
    const [one, two] = [toResend(first, position, TTL_MS), toResend(first, position, TTL_MS)];
    const results = [...(await send(one, two)), ...(await send(one))].map(positionOf);
    expect(new Set(results).size).toBe(1);
    expect(results[0]).not.toBe(position);
    expect(await stored()).toEqual([['1-0', '1']]);
  });
});
