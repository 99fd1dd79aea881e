import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { startPulsar } from '../../scripts/brokers/index.ts';
import type { BrokerBench, Implementation } from './implementation.ts';

/** As many unacknowledged messages as the bus. */
const MAX_UNACKED = 1_000;

interface Delivery {
  readonly messageId: string;
  readonly payload: string;
}

/** Pulsar's WebSocket API, which needs no client library. */
export async function openPulsar(): Promise<BrokerBench> {
  const server = await startPulsar();
  const connect = async (path: string) => {
    const socket = new WebSocket(`${server.webUrl.replace(/^http/, 'ws')}/ws/v2/${path}`, {
      perMessageDeflate: false,
    });
    await once(socket, 'open');
    return socket;
  };
  const byHand: Implementation = {
    async produce(topic) {
      const socket = await connect(`producer/persistent/public/default/${topic}`);
      const waiting = new Map<string, { resolve(): void; reject(error: Error): void }>();
      let sent = 0;
      socket.on('message', (data: Buffer) => {
        const reply = JSON.parse(data.toString()) as { result: string; context: string };
        const call = waiting.get(reply.context);
        waiting.delete(reply.context);
        if (reply.result === 'ok') call?.resolve();
        else call?.reject(new Error(reply.result));
      });
      const sendOne = (value: Buffer) =>
        new Promise<void>((resolve, reject) => {
          const context = String(++sent);
          waiting.set(context, { resolve, reject });
          socket.send(JSON.stringify({ payload: value.toString('base64'), context }));
        });
      return {
        send: async (values) => {
          await Promise.all(values.map(sendOne));
        },
        close: async () => socket.close(),
      };
    },
    async consume(topic, batchSize, handle) {
      const settings = new URLSearchParams({
        subscriptionType: 'Key_Shared',
        subscriptionInitialPosition: 'Earliest',
        receiverQueueSize: String(MAX_UNACKED),
      });
      const socket = await connect(
        `consumer/persistent/public/default/${topic}/${randomUUID()}?${settings.toString()}`,
      );
      let arrived: { readonly messageId: string; readonly value: Buffer }[] = [];
      let isRunning = false;
      const run = async () => {
        isRunning = true;
        // Other records of this turn of the event loop may share a batch.
        await new Promise((resolve) => setImmediate(resolve));
        while (arrived.length > 0) {
          const taken = arrived;
          arrived = [];
          for (let start = 0; start < taken.length; start += batchSize) {
            const batch = taken.slice(start, start + batchSize);
            await handle(batch);
            for (const { messageId } of batch) socket.send(JSON.stringify({ messageId }));
          }
        }
        isRunning = false;
      };
      socket.on('message', (data: Buffer) => {
        const { messageId, payload } = JSON.parse(data.toString()) as Delivery;
        arrived.push({ messageId, value: Buffer.from(payload, 'base64') });
        if (!isRunning) void run();
      });
      return async () => socket.close();
    },
  };
  return {
    client: 'WebSocket API',
    byHand,
    drivers: { pulsar: { serviceUrl: server.webUrl, maxInHand: MAX_UNACKED } },
    concurrency: 1,
    amounts: { producedSingly: 1_000, producedInBatches: 10_000, consumed: 20_000 },
    close: () => server.dispose(),
  };
}
