import { Redis } from 'ioredis';
import { startRedis } from '../../scripts/brokers/index.ts';
import type { BrokerBench, Implementation } from './implementation.ts';

const PARTITIONS = 4;
/** As many records as the bus reads ahead. */
const COUNT = 200;
/** The connection options of the bus: replies have a timeout, and no command is silently sent twice. */
const SETTINGS = { commandTimeout: 1_500, socketTimeout: 3_000, maxRetriesPerRequest: 0 };

type XreadReply = [stream: Buffer, entries: [id: Buffer, fields: Buffer[]][]][] | null;

/** ioredis with a fixed assignment of the streams of a topic, without takeover. The bus has leases for that. */
export async function openRedis(): Promise<BrokerBench> {
  const server = await startRedis();
  const streamsOf = (topic: string) =>
    Array.from({ length: PARTITIONS }, (_, number) => `bench:{${topic}:${number}}`);
  const byHand: Implementation = {
    async produce(topic) {
      const client = new Redis(server.url, SETTINGS);
      const streams = streamsOf(topic);
      let sent = 0;
      const next = () => streams[sent++ % PARTITIONS]!;
      return {
        async send(values) {
          const [only] = values;
          if (only !== undefined && values.length === 1) {
            await client.xadd(next(), '*', 'value', only);
            return;
          }
          const pipeline = client.pipeline();
          for (const value of values) pipeline.xadd(next(), '*', 'value', value);
          const failed = (await pipeline.exec())?.find(([error]) => error !== null);
          if (failed) throw failed[0]!;
        },
        close: async () => client.disconnect(),
      };
    },
    async consume(topic, batchSize, handle) {
      const [client, blocking] = [new Redis(server.url, SETTINGS), new Redis(server.url, SETTINGS)];
      const streams = streamsOf(topic);
      const group = 'by hand';
      for (const stream of streams) await client.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
      const take = async ([stream, entries]: NonNullable<XreadReply>[number]) => {
        for (let start = 0; start < entries.length; start += batchSize)
          await handle(entries.slice(start, start + batchSize));
        await client.xack(stream, group, ...entries.map(([id]) => id));
      };
      const ended = new AbortController();
      const run = async () => {
        while (!ended.signal.aborted) {
          const reply = (await blocking.xreadgroupBuffer(
            ...(['GROUP', group, 'me', 'COUNT', COUNT, 'BLOCK', 100, 'STREAMS'] as const),
            ...streams,
            ...streams.map(() => '>'),
          )) as XreadReply;
          await Promise.all((reply ?? []).map(take));
        }
      };
      const running = run();
      return async () => {
        ended.abort();
        await running;
        for (const stream of streams) await client.xgroup('DESTROY', stream, group);
        client.disconnect();
        blocking.disconnect();
      };
    },
  };
  const streams = {
    partitions: PARTITIONS,
    readAhead: COUNT,
    streamName: 'bench:{<topic>:<partition>}',
    // Neither implementation trims the streams.
    maxLength: 10_000_000,
  };
  return {
    client: 'ioredis',
    byHand,
    drivers: { redis: { url: server.url, streams } },
    concurrency: PARTITIONS,
    amounts: { producedSingly: 10_000, producedInBatches: 50_000, consumed: 100_000 },
    close: () => server.dispose(),
  };
}
