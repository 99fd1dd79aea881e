import { randomUUID } from 'node:crypto';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type * as BusExports from '../../src/bus/index.js';
import type { BrokerBench, Implementation } from './implementation.ts';

const dist = process.env.CARILLON_DIST ?? new URL('../../dist', import.meta.url).pathname;
const { BusModule, Buses, ConsumerRegistry, Events } = (await import(
  `${dist}/bus/index.js`
)) as typeof BusExports;

type Driver = NonNullable<BusExports.BusOptionsInput['defaultDriver']>;

/** The two ways to use the bus. */
export interface CarillonBus {
  /** `Bus`: the bytes of a record. */
  readonly port: Implementation;
  /** `Events` and a module consumer: an id and a name per event, JSON, timeouts, retries and metrics. */
  readonly events: Implementation;
  close(): Promise<void>;
}

export async function openCarillon(
  driver: Driver,
  { drivers, concurrency }: BrokerBench,
): Promise<CarillonBus> {
  const app = await NestFactory.createApplicationContext(
    BusModule.forRoot({
      defaultDriver: driver,
      drivers: { sqlite: { directory: ':memory:' }, ...drivers },
      lagIntervalMs: 0,
    }),
    { logger: ['error'] },
  );
  const [events, registry] = [app.get(Events), app.get(ConsumerRegistry)];
  const bus = await app.get(Buses).shared();
  return {
    port: {
      produce: async (topic) => ({
        send: (values) =>
          bus.publish(
            topic,
            values.map((value) => ({ value })),
          ),
        close: async () => {},
      }),
      async consume(topic, maxBatchSize, handle) {
        const group = randomUUID();
        const subscription = await bus.subscribe(
          { topics: [topic], group, maxBatchSize, concurrency, from: 'earliest' },
          handle,
        );
        return () => subscription.close();
      },
    },
    events: {
      produce: async (topic) => ({
        // Parsed in advance, so that the sent body is as long as those of the others.
        send: async (values) => {
          await events.emit(
            topic,
            values.map((value) => ({ event: 'bench', payload: parsed(value) })),
          );
        },
        close: async () => {},
      }),
      async consume(topic, batchSize, handle) {
        const name = { module: 'bench', consumer: randomUUID() };
        const description = { ...name, topics: [topic], concurrency };
        if (batchSize === 1)
          // The default: fifty records are read at a time and handled one by one.
          await registry.add(description, {
            takes: 'one',
            handle: (_consumer, _event, payload) => handle([payload]),
          });
        else
          await registry.add(
            { ...description, batchSize },
            { takes: 'batch', handle: (_consumer, batch) => handle(batch) },
          );
        return async () => {
          await registry.remove(name);
        };
      },
    },
    close: () => app.close(),
  };
}

const payloads = new WeakMap<Buffer, unknown>();

function parsed(value: Buffer): unknown {
  let payload = payloads.get(value);
  if (payload === undefined) {
    payload = JSON.parse(value.toString()) as unknown;
    payloads.set(value, payload);
  }
  return payload;
}
