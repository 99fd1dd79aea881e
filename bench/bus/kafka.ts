import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { startKafka } from '../../scripts/brokers/index.ts';
import type { BrokerBench, Implementation } from './implementation.ts';

const PARTITIONS = 4;

/** kafkajs with the guarantees of the bus: idempotent, acknowledged by all replicas, offsets committed after handling, heartbeats. */
export async function openKafka(): Promise<BrokerBench> {
  const server = await startKafka();
  const kafka = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const byHand: Implementation = {
    async produce(topic) {
      await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
      const producer = kafka.producer({
        idempotent: true,
        createPartitioner: Partitioners.DefaultPartitioner,
      });
      await producer.connect();
      return {
        send: async (values) => {
          await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) });
        },
        close: () => producer.disconnect(),
      };
    },
    async consume(topic, batchSize, handle) {
      const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 200 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        partitionsConsumedConcurrently: PARTITIONS,
        eachBatchAutoResolve: false,
        eachBatch: async (payload) => {
          const { messages } = payload.batch;
          for (let start = 0; start < messages.length; start += batchSize) {
            const chunk = messages.slice(start, start + batchSize);
            await handle(chunk);
            payload.resolveOffset(chunk.at(-1)!.offset);
            await payload.heartbeat();
          }
        },
      });
      return () => consumer.disconnect();
    },
  };
  return {
    client: 'kafkajs',
    byHand,
    drivers: { kafka: { brokers: [server.url], partitions: PARTITIONS } },
    concurrency: PARTITIONS,
    amounts: { producedSingly: 1_000, producedInBatches: 20_000, consumed: 200_000 },
    close: async () => {
      await admin.disconnect();
      await server.dispose();
    },
  };
}
