/**
 * Events through the bus (`Events` and a module consumer, with their JSON, headers, retries and metrics) against bare records
 * sent and taken by hand with kafkajs, or over Pulsar's WebSocket API: the same broker, topics and payload, in turns.
 *
 *   npm run build && node bench/bus.bench.ts kafka|pulsar [records per row]
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Kafka, logLevel } from 'kafkajs';
import { WebSocket } from 'ws';
import { startKafka, startPulsar } from '../scripts/brokers/index.ts';
import type * as BusRoom from '../src/bus/index.js';

const dist = process.env.CARILLON_DIST ?? new URL('../dist', import.meta.url).pathname;
const { BusModule, ConsumerRegistry, Events } = (await import(`${dist}/bus/index.js`)) as typeof BusRoom;

const [kind = 'kafka', count = '5000'] = process.argv.slice(2);
const RECORDS = Number(count);
/** Short turns, so that what else the machine does falls on both sides. The first warms up and does not count. */
const ROUNDS = 7;
const BATCH = 100;
const PARTITIONS = 4;
const payload = { text: 'x'.repeat(88) };

/** One way to do it. `consume` resolves to the records per second from the first to the last. */
interface Side {
  produceOne(topic: string, records: number): Promise<void>;
  produceBatch(topic: string, records: number): Promise<void>;
  consume(topic: string, records: number, batchSize: number): Promise<number>;
}

/** Counts records as they are handled, and tells their rate. */
class Meter {
  #handled = 0;
  #startedAt = 0;
  readonly #done = Promise.withResolvers<number>();

  readonly #goal: number;

  constructor(goal: number) {
    this.#goal = goal;
  }

  get rate(): Promise<number> {
    return this.#done.promise;
  }

  count(records: number): void {
    if (this.#handled === 0) this.#startedAt = performance.now();
    this.#handled += records;
    if (this.#handled >= this.#goal) {
      this.#done.resolve((this.#goal * 1_000) / (performance.now() - this.#startedAt));
    }
  }
}

/** What an application does with records is asynchronous, whoever calls it. */
async function handle(records: readonly unknown[]): Promise<number> {
  return records.length;
}

async function openKafka() {
  const server = await startKafka();
  const kafka = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ idempotent: true });
  const admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  const byHand: Side = {
    async produceOne(topic, records) {
      for (let index = 0; index < records; index++)
        await producer.send({ topic, acks: -1, messages: [{ value: JSON.stringify(payload) }] });
    },
    async produceBatch(topic, records) {
      for (let index = 0; index < records; index += BATCH) {
        const messages = Array.from({ length: BATCH }, () => ({ value: JSON.stringify(payload) }));
        await producer.send({ topic, acks: -1, messages });
      }
    },
    async consume(topic, records, batchSize) {
      const meter = new Meter(records);
      const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 200 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        partitionsConsumedConcurrently: PARTITIONS,
        eachBatch: async (taken) => {
          const { batch } = taken;
          for (let start = 0; start < batch.messages.length; start += batchSize) {
            const chunk = batch.messages.slice(start, start + batchSize);
            await handle(chunk.map((message) => JSON.parse(String(message.value)) as unknown));
            taken.resolveOffset(chunk.at(-1)!.offset);
            meter.count(chunk.length);
          }
        },
      });
      const rate = await meter.rate;
      await consumer.disconnect();
      return rate;
    },
  };
  return {
    byHand,
    options: { kafka: { brokers: [server.url], partitions: PARTITIONS } },
    prepare: async (topic: string) => {
      await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
    },
    close: async () => {
      await Promise.all([producer.disconnect(), admin.disconnect()]);
      await server.dispose();
    },
  };
}

async function openPulsar() {
  const server = await startPulsar();
  const base = `${server.webUrl.replace(/^http/, 'ws')}/ws/v2`;
  const frame = () => JSON.stringify({ payload: Buffer.from(JSON.stringify(payload)).toString('base64') });
  const connect = async (path: string) => {
    const socket = new WebSocket(`${base}/${path}`);
    await once(socket, 'open');
    return socket;
  };
  /** Keeps so many messages without an answer under way. */
  const produce = async (topic: string, records: number, inFlight: number) => {
    const socket = await connect(`producer/persistent/public/default/${topic}`);
    for (let index = 0; index < records; index += inFlight) {
      const answered = Promise.withResolvers<void>();
      let left = inFlight;
      socket.removeAllListeners('message').on('message', () => {
        if (--left === 0) answered.resolve();
      });
      for (let each = 0; each < inFlight; each++) socket.send(frame());
      await answered.promise;
    }
    socket.close();
  };
  const byHand: Side = {
    produceOne: (topic, records) => produce(topic, records, 1),
    produceBatch: (topic, records) => produce(topic, records, BATCH),
    async consume(topic, records) {
      const meter = new Meter(records);
      const settings = new URLSearchParams({
        subscriptionType: 'Key_Shared',
        subscriptionInitialPosition: 'Earliest',
        receiverQueueSize: '1000',
      });
      const path = `${topic}/${randomUUID()}?${settings.toString()}`;
      const socket = await connect(`consumer/persistent/public/default/${path}`);
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { messageId: string; payload: string };
        void handle([JSON.parse(Buffer.from(message.payload, 'base64').toString())]);
        socket.send(JSON.stringify({ messageId: message.messageId }));
        meter.count(1);
      });
      const rate = await meter.rate;
      socket.close();
      return rate;
    },
  };
  return {
    byHand,
    options: { pulsar: { serviceUrl: server.webUrl } },
    prepare: async (topic: string) => {
      const name = `${server.webUrl}/admin/v2/persistent/public/default/${topic}`;
      await fetch(name, { method: 'PUT' });
    },
    close: () => server.dispose(),
  };
}

const broker = kind === 'pulsar' ? await openPulsar() : await openKafka();
const app = await NestFactory.createApplicationContext(
  BusModule.forRoot({
    defaultDriver: kind === 'pulsar' ? 'pulsar' : 'kafka',
    drivers: { sqlite: { directory: ':memory:' }, ...broker.options },
  }),
  { logger: ['error'] },
);
const [events, registry] = [app.get(Events), app.get(ConsumerRegistry)];
const event = { event: 'bench', payload };

const byBus: Side = {
  async produceOne(topic, records) {
    for (let index = 0; index < records; index++) await events.emit(topic, event);
  },
  async produceBatch(topic, records) {
    const batch = Array.from({ length: BATCH }, () => event);
    for (let index = 0; index < records; index += BATCH) await events.emit(topic, batch);
  },
  async consume(topic, records, batchSize) {
    const meter = new Meter(records);
    const name = { module: 'bench', consumer: randomUUID() };
    const settings = { topics: [topic], concurrency: PARTITIONS };
    if (batchSize === 1)
      // As it is by default: records are taken by the fifty, and handled one by one.
      await registry.add({ ...name, ...settings }, { takes: 'one', handle: () => meter.count(1) });
    else
      await registry.add(
        { ...name, ...settings, batchSize },
        { takes: 'batch', handle: (_consumer, batch) => meter.count(batch.length) },
      );
    const rate = await meter.rate;
    await registry.remove(name);
    return rate;
  },
};

const median = (figures: number[]) => figures.toSorted((one, other) => one - other)[figures.length >> 1]!;
const shown = (perSecond: number) => Math.round(perSecond).toLocaleString('en').padStart(9);

async function row(name: string, measure: (side: Side) => Promise<number>): Promise<void> {
  const figures = { hand: [] as number[], bus: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    figures.hand.push(await measure(broker.byHand));
    figures.bus.push(await measure(byBus));
  }
  const [hand, bus] = [median(figures.hand.slice(1)), median(figures.bus.slice(1))];
  console.log(
    `${name.padEnd(28)} by hand ${shown(hand)}/s  bus ${shown(bus)}/s  ${(bus / hand).toFixed(2)}×`,
  );
}

async function freshTopic(): Promise<string> {
  const topic = `bench-${randomUUID()}`;
  await broker.prepare(topic);
  return topic;
}

async function producing(
  produce: 'produceOne' | 'produceBatch',
  records: number,
  side: Side,
): Promise<number> {
  const topic = await freshTopic();
  const startedAt = performance.now();
  await side[produce](topic, records);
  return (records * 1_000) / (performance.now() - startedAt);
}

await row('produce one at a time', (side) => producing('produceOne', RECORDS / 5, side));
await row(`produce in batches of ${BATCH}`, (side) => producing('produceBatch', RECORDS * 2, side));
// Many more than one fetch brings, so that it is not its records in memory that are counted. The bus filled the topic.
const full = await freshTopic();
await byBus.produceBatch(full, 20 * RECORDS);
await row('consume one at a time', (side) => side.consume(full, 20 * RECORDS, 1));
await row(`consume in batches of ${BATCH}`, (side) => side.consume(full, 20 * RECORDS, BATCH));
await app.close();
await broker.close();
