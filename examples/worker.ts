/**
 * A worker that reads the streams `partition:0` to `partition:7`. Start it several times side by side, stop one, kill one:
 *
 *   REDIS_URL=redis://localhost:6379 npm run worker
 *
 * (which builds first; once that is done, `node examples/worker.ts` will do).
 *
 * The workers of a GROUP (`workers`) share the partitions out among themselves. To decide it yourself, give each its number:
 * WORKER_ID=0 TOTAL_WORKERS=3. Other topics than `partition`, and another number of streams: TOPIC, PARTITIONS.
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

/** What the worker is there for. A record that is not handled to the end (this rejects, the process dies) comes again. */
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
    worker: id === undefined ? {} : { id: Number(id), total: Number(total) },
  }),
  { logger: ['error', 'warn'] },
);
// On SIGTERM and SIGINT it finishes what it has in hand, acknowledges that, and lets the others have its partitions.
app.enableShutdownHooks();

const bus = await app.get(Buses).shared();
await bus.subscribe(
  {
    topics: [topic],
    group,
    from: 'earliest',
    maxBatchSize: 100,
    concurrency: Number(partitions),
    onRebalance: () => console.log('the partitions were dealt anew'),
  },
  async (records) => {
    for (const record of records) await handle(record);
  },
);
console.log(`worker ${process.pid} is ready`);
