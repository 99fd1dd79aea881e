import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { publishBatch } from '../../../src/delivery/adapters/redis/publish-batch.js';
import { generationKey, historyKey, metaKey } from '../../../src/delivery/adapters/redis/keys.js';
import { ReplayStreams, type Partition } from '../../../src/delivery/adapters/redis/replay-streams.js';
import { envelopesIn } from '../../../src/delivery/publications/publication-envelope.js';
import {
  again,
  type StoreRequest,
  type PublishResult,
  type RedisPublication,
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
    const options = { keyPrefix, streams: 1, maxEntries: 100, windowMs: TTL_MS };
    [partition] = new ReplayStreams(redis, options).partitions as [Partition];
  });

  const submission = (text: string, keeping?: Partial<StoreRequest>): RedisPublication => ({
    partition,
    channel: `${partition.tag}:${CHANNEL}`,
    envelope: Buffer.from(text),
    isRepeatable: true,
    ...(keeping === undefined
      ? {}
      : { keeping: { channel: CHANNEL, terms: { history: HISTORY }, delta: false, ...keeping } }),
  });
  const send = (...submissions: RedisPublication[]) =>
    publishBatch(redis, submissions, { sharded: false, maxPerStream: 100 });
  const kept = async () => {
    const entries = await redis.xrange(historyKey(partition, CHANNEL), '-', '+');
    return entries.map(([id, [, envelope]]) => [id, envelope]);
  };
  const placeOf = (answer: PublishResult | undefined) => {
    if (answer === undefined || 'failure' in answer) throw new Error(`failed: ${String(answer?.failure)}`);
    return answer.place;
  };

  it('takes those of one call in their order, whatever each asks for', async () => {
    const subscriber = redis.duplicate();
    await subscriber.subscribe(`${partition.tag}:${CHANNEL}`);
    const heard: string[] = [];
    const everything = new Promise<void>((resolve) => {
      subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
        for (const envelope of envelopesIn(message)) heard.push(envelope.toString().slice(-1));
        if (heard.at(-1) === '5') resolve();
      });
    });
    const answered = { key: `${partition.tag}:answer`, ttlMs: TTL_MS };
    const answers = await send(
      submission('1'),
      submission('2', {}),
      submission('3', { answered }),
      submission('3', { answered }),
      submission('4'),
      submission('5'),
    );
    await everything;
    subscriber.disconnect();
    expect(heard).toEqual(['1', '2', '3', '4', '5']);
    expect(await kept()).toEqual([
      ['1-0', '2'],
      ['2-0', '3'],
    ]);
    expect(placeOf(answers[3])).toBe(placeOf(answers[2]));
    expect(await redis.xlen(partition.key)).toBe(5);
  });

  it('lets one fail and carries out the others', async () => {
    const channel = 'broken';
    await redis.set(metaKey(partition, channel), 'no hash');
    const answers = await send(submission('1', {}), submission('2', { channel }), submission('3', {}));
    expect(answers[1]).toMatchObject({ failure: { message: expect.stringContaining('WRONGTYPE') } });
    expect([answers[0], answers[2]].map(placeOf).map((place) => place.split(':')[0])).toEqual(['1', '2']);
    expect(await kept()).toEqual([
      ['1-0', '1'],
      ['2-0', '3'],
    ]);
  });

  it('leaves out what is sent again and was not lost', async () => {
    const first = submission('1', {});
    const place = placeOf((await send(first))[0]);
    expect(placeOf((await send(again(first, place, TTL_MS)))[0])).toBe(place);
    expect(await kept()).toEqual([['1-0', '1']]);
  });

  it('sends once again what was lost, however often that is asked', async () => {
    const first = submission('1', {});
    const place = placeOf((await send(first))[0]);
    await redis.set(generationKey(partition), 'next');
    const [one, two] = [again(first, place, TTL_MS), again(first, place, TTL_MS)];
    const answers = [...(await send(one, two)), ...(await send(one))].map(placeOf);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).not.toBe(place);
    expect(await kept()).toEqual([['1-0', '1']]);
  });
});
