import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import type { Bus } from '../../../src/bus/index.js';
import { undecodableHeader, type ReceivedRecord } from '../../../src/message/index.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { open } from './kafka-bus.open.js';

describeWith('kafka', 'KafkaBus with compressed records', () => {
  let brokers: string[];
  let admin: Admin;
  const buses: Bus[] = [];
  beforeAll(async () => {
    brokers = (await sharedBroker('kafka')).url.split(',');
    admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterEach(() => Promise.all(buses.splice(0).map((bus) => bus.close())));
  afterAll(() => admin.disconnect());

  const openBus = async (options: object = {}): Promise<Bus> => {
    const bus = await open({ brokers, partitions: 1, ...options });
    buses.push(bus);
    return bus;
  };
  const consume = async (bus: Bus, topic: string) => {
    const received = new EventLog<ReceivedRecord>();
    await bus.subscribe(
      { topics: [topic], group: randomUUID(), from: 'earliest', maxBatchSize: 100 },
      async (records) => records.forEach((record) => received.add(record)),
    );
    return received;
  };
  /** Compressible and incompressible bodies of many sizes, around the block sizes of the formats. */
  const bodies = () => [
    Buffer.alloc(0),
    Buffer.from('{"a":1}'),
    Buffer.from('abcabcabc'.repeat(5_000)),
    randomBytes(100_000),
    Buffer.concat([randomBytes(40_000), Buffer.alloc(70_000), randomBytes(33_000)]),
  ];

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads what the broker compressed with %s', async (type) => {
    const topic = randomUUID();
    const configEntries = [{ name: 'compression.type', value: type }];
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true });
    const bus = await openBus();
    const sent = bodies();
    await bus.publish(
      topic,
      sent.map((value, at) => ({ key: `k${at}`, headers: { at: String(at) }, value })),
    );
    const received = await (await consume(bus, topic)).atLeast(sent.length);
    expect(received.map(({ key, headers }) => [key, headers])).toEqual(
      sent.map((_, at) => [`k${at}`, { at: String(at) }]),
    );
    expect(received.every(({ value }, at) => sent[at]?.equals(value))).toBe(true);
  });

  it.each(['gzip', 'zstd'])('compresses what it publishes with %s', async (compression) => {
    const topic = randomUUID();
    const bus = await openBus({ compression });
    const sent = bodies();
    await bus.publish(
      topic,
      sent.map((value) => ({ key: 'k', value })),
    );
    const received = await (await consume(bus, topic)).atLeast(sent.length);
    expect(received.every(({ value }, at) => sent[at]?.equals(value))).toBe(true);
  });

  it.each(['gzip', 'zstd'])(
    'passes a batch that is too large after decompression to the handler as undecodable, and continues (%s)',
    async (compression) => {
      const topic = randomUUID();
      const producer = await openBus({ compression, maxRequestBytes: 50_000_000 });
      const consumer = await openBus({ maxDecompressedBytes: 1024 * 1024 });
      const received = await consume(consumer, topic);
      const bomb = { key: 'k', value: Buffer.alloc(8 * 1024 * 1024) };
      await producer.publish(topic, [bomb, { key: 'k', value: Buffer.from('in the same batch') }]);
      await producer.publish(topic, [{ key: 'k', value: Buffer.from('after') }]);
      const records = await received.atLeast(3);
      expect(records.map(({ position }) => position)).toEqual(['0', '1', '2']);
      expect(records[0]?.headers[undecodableHeader]).toMatch(
        /cannot be decompressed \((gzip|zstd)\): the content is larger than maxDecompressedBytes \(1048576\)$/,
      );
      // The bytes as the broker has them.
      expect(records[0]?.value.length).toBeGreaterThan(100);
      expect(records[1]?.headers[undecodableHeader]).toBeDefined();
      expect(records[2]?.value.toString()).toBe('after');
    },
  );
});
