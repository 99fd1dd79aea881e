/**
 * Records through the Redis bus, against the same done by hand with ioredis: the same server, connection settings, streams
 * and payload, in turns. By hand there are no leases, and nothing is retried.
 *
 *   npm run build && node bench/bus-redis.bench.ts [records per row]
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { startRedis } from '../scripts/brokers/redis.ts';
import type * as RedisBusFile from '../src/bus/adapters/redis.bus.js';
import type * as OptionsFile from '../src/bus/adapters/redis.options.js';
import type * as MetricsRoom from '../src/metrics/index.js';
import type * as RedisRoom from '../src/redis/index.js';

const dist = process.env.CARILLON_DIST ?? new URL('../dist', import.meta.url).pathname;
const { RedisBus } = (await import(`${dist}/bus/adapters/redis.bus.js`)) as typeof RedisBusFile;
const { redisStreamsOptions } = (await import(`${dist}/bus/adapters/redis.options.js`)) as typeof OptionsFile;
const { BrokerStatus } = (await import(`${dist}/metrics/index.js`)) as typeof MetricsRoom;
const { openRedis, closeRedis, redisDriverOptions } = (await import(
  `${dist}/redis/index.js`
)) as typeof RedisRoom;

const RECORDS = Number(process.argv[2] ?? 10_000);
/** Short turns, so that what else the machine does falls on both sides. */
const ROUNDS = 11;
const BATCH = 100;
const PARTITIONS = 8;
const value = Buffer.alloc(100, 'x');

await using server = await startRedis();
const driver = redisDriverOptions.parse({ url: server.url });
const streams = redisStreamsOptions.parse({ partitions: PARTITIONS, maxLength: 10_000_000 });
const bus = await RedisBus.open({ ...driver, streams }, new BrokerStatus('bus'));
const [client, blocking] = (await Promise.all([
  openRedis(driver, new BrokerStatus('raw')),
  openRedis(driver, new BrokerStatus('raw')),
])) as [Redis, Redis];

type Run = (topic: string, records: number) => Promise<void>;
type Entries = [stream: string, entries: [id: string, fields: string[]][]][] | null;

const streamsOf = (topic: string) => Array.from({ length: PARTITIONS }, (_, number) => `${topic}:${number}`);

const raw = {
  async createGroups(topic: string) {
    for (const stream of streamsOf(topic)) await client.xgroup('CREATE', stream, 'g', '0', 'MKSTREAM');
  },
  async produceOne(topic: string, records: number) {
    const names = streamsOf(topic);
    for (let index = 0; index < records; index++)
      await client.xadd(names[index % PARTITIONS]!, '*', 'value', value);
  },
  async produceBatch(topic: string, records: number) {
    const names = streamsOf(topic);
    for (let index = 0; index < records;) {
      const pipeline = client.pipeline();
      for (let each = 0; each < BATCH; each++, index++)
        pipeline.xadd(names[index % PARTITIONS]!, '*', 'value', value);
      await pipeline.exec();
    }
  },
  async consume(topic: string, records: number, count: number) {
    const names = streamsOf(topic);
    const places = names.map(() => '>');
    for (let handled = 0; handled < records;) {
      const answer = (await blocking.xreadgroup(
        ...(['GROUP', 'g', 'c', 'COUNT', count, 'BLOCK', 500, 'STREAMS'] as const),
        ...names,
        ...places,
      )) as Entries;
      for (const [, entries] of answer ?? []) handled += entries.length;
      await Promise.all(
        (answer ?? []).map(([stream, entries]) => client.xack(stream, 'g', ...entries.map(([id]) => id))),
      );
    }
  },
};

/** Resolves to what waits for so many records. */
async function consumeByBus(topic: string, maxBatchSize: number) {
  let handled = 0;
  let goal = Infinity;
  let reached = Promise.withResolvers<void>();
  const subscription = await bus.subscribe(
    { topics: [topic], group: 'g', from: 'earliest', maxBatchSize, concurrency: PARTITIONS },
    async (records) => {
      handled += records.length;
      if (handled >= goal) reached.resolve();
    },
  );
  return {
    close: () => subscription.close(),
    reaches: (count: number) => {
      goal = count;
      reached = Promise.withResolvers();
      if (handled >= goal) reached.resolve();
      return reached.promise;
    },
  };
}

const byBus: Record<'produceOne' | 'produceBatch', Run> = {
  async produceOne(topic, records) {
    for (let index = 0; index < records; index++) await bus.publish(topic, [{ value }]);
  },
  async produceBatch(topic, records) {
    const batch = Array.from({ length: BATCH }, () => ({ value }));
    for (let index = 0; index < records; index += BATCH) await bus.publish(topic, batch);
  },
};

/** What a row does before it is timed, and what is timed. */
type Row = (topic: string, records: number) => Promise<() => Promise<void>>;

interface Sides {
  readonly raw: Row;
  readonly bus: Row;
  /** So many times the records. */
  readonly times?: number;
}

/** More records, so that joining and leaving the group, which the bus does within the time, weigh little. */
const consuming = (maxBatchSize: number): Sides => ({
  times: 5,
  raw: async (topic, records) => {
    await raw.createGroups(topic);
    await raw.produceBatch(topic, records);
    return () => raw.consume(topic, records, maxBatchSize);
  },
  bus: async (topic, records) => {
    await byBus.produceBatch(topic, records);
    return async () => {
      const consumer = await consumeByBus(topic, maxBatchSize);
      await consumer.reaches(records);
      await consumer.close();
    };
  },
});

const both = (produce: 'produceOne' | 'produceBatch', maxBatchSize: number): Sides => ({
  raw: async (topic, records) => {
    await raw.createGroups(topic);
    return async () => {
      await Promise.all([raw[produce](topic, records), raw.consume(topic, records, maxBatchSize)]);
    };
  },
  bus: async (topic, records) => {
    const consumer = await consumeByBus(topic, maxBatchSize);
    return async () => {
      await Promise.all([byBus[produce](topic, records), consumer.reaches(records)]);
      await consumer.close();
    };
  },
});

const rows: Record<string, Sides> = {
  'produce one at a time': {
    raw: async (topic, records) => () => raw.produceOne(topic, records),
    bus: async (topic, records) => () => byBus.produceOne(topic, records),
  },
  [`produce in batches of ${BATCH}`]: {
    raw: async (topic, records) => () => raw.produceBatch(topic, records),
    bus: async (topic, records) => () => byBus.produceBatch(topic, records),
  },
  'consume one at a time': consuming(1),
  [`consume in batches of ${BATCH}`]: consuming(BATCH),
  'both at once, one at a time': both('produceOne', 1),
  'both at once, in batches': both('produceBatch', BATCH),
};

async function rate(row: Row, records: number): Promise<number> {
  const run = await row(`bench-${randomUUID()}`, records);
  const startedAt = performance.now();
  await run();
  const perSecond = (records * 1_000) / (performance.now() - startedAt);
  await client.flushall();
  return perSecond;
}

const median = (figures: number[]) => figures.toSorted((one, other) => one - other)[figures.length >> 1]!;
const shown = (perSecond: number) => Math.round(perSecond).toLocaleString('en').padStart(9);

for (const [name, row] of Object.entries(rows)) {
  const figures = { raw: [] as number[], bus: [] as number[] };
  // The first round warms both up, and does not count.
  for (let round = 0; round <= ROUNDS; round++)
    for (const side of ['raw', 'bus'] as const)
      figures[side].push(await rate(row[side], RECORDS * (row.times ?? 1)));
  const [byHand, throughBus] = [median(figures.raw.slice(1)), median(figures.bus.slice(1))];
  console.log(
    `${name.padEnd(30)} ioredis ${shown(byHand)}/s  bus ${shown(throughBus)}/s  ${(throughBus / byHand).toFixed(2)}×`,
  );
}
await bus.close();
await Promise.all([closeRedis(client), closeRedis(blocking)]);
