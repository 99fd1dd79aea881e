/**
 * A worker that reads the streams `partition:0` to `partition:7`. Start several of them, stop one, kill one:
 *
 *   REDIS_URL=redis://localhost:6379 npm run worker            # builds first
 *   REDIS_URL=redis://localhost:6379 npx node examples/worker.ts   # after the build
 *
 * The workers of a GROUP (default `workers`) divide the partitions among themselves. For a fixed assignment, give each worker
 * its number: WORKER_ID=0 TOTAL_WORKERS=3. TOPIC and PARTITIONS change the topic (`partition`) and the number of streams (8).
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Buses, BusModule, type ReceivedRecord } from 'carillon/bus';

const {
  REDIS_URL: url = 'redis://localhost:6379',
  TOPIC: topic = 'partition',
  GROUP: group = 'workers',
  PARTITIONS: partitions = '8',
  WORKER_ID: id,
  TOTAL_WORKERS: total,
} = process.env;

/** Handles one record. If it rejects, or if the process dies, the record is redelivered. */
async function handle({ partition, position, key, value }: ReceivedRecord): Promise<void> {
  console.log(`partition ${partition}  ${position}  ${key ?? '-'}  ${value.toString()}`);
}

const app = await NestFactory.createApplicationContext(
  BusModule.forRoot({
    defaultDriver: 'redis',
    drivers: {
      redis: { url, streams: { streamName: '<topic>:<partition>', partitions: Number(partitions) } },
      sqlite: { directory: ':memory:' },
    },
    worker: {
      ...(id === undefined ? {} : { id: Number(id) }),
      ...(total === undefined ? {} : { total: Number(total) }),
    },
  }),
  { logger: ['error', 'warn'] },
);
// On SIGTERM and SIGINT the worker finishes and acknowledges the records that it holds, and releases its partitions.
app.enableShutdownHooks();

const bus = await app.get(Buses).shared();
await bus.subscribe(
  {
    topics: [topic],
    group,
    from: 'earliest',
    maxBatchSize: 100,
    concurrency: Number(partitions),
    onRebalance: () => console.log('the partitions were rebalanced'),
  },
  async (records) => {
    for (const record of records) await handle(record);
  },
);
console.log(`worker ${process.pid} is ready`);
