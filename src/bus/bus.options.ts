import { z } from 'zod';
import { redisDriverOptions } from '../redis/index.js';
import { kafkaDriverOptions } from './adapters/kafka/kafka.options.js';
import { memoryBusOptions } from './adapters/memory/memory.options.js';
import { pulsarDriverOptions, pulsarScheduleOptions } from './adapters/pulsar/pulsar.options.js';
import { redisStreamsOptions } from './adapters/redis/redis.options.js';
import { sqliteDriverOptions } from './adapters/sqlite/sqlite.options.js';
import { consumerDefaults, consumerName, consumerSettings } from './consumers/consumer.options.js';
import { delayedLaneOptions } from './lanes/delayed-lane.options.js';
import { instantLaneOptions } from './lanes/instant-lane.options.js';
import { retryStoreOptions } from './retries/retry-store.options.js';
import { consumerPools, producerPools } from './producers/pool.options.js';

const busDriver = z.enum(['memory', 'kafka', 'pulsar', 'redis']);

/** What can carry topics. */
export type BusDriver = z.output<typeof busDriver>;

/** How each technology is reached. What is absent is not used, and its client library is not loaded. */
const drivers = z
  .strictObject({
    memory: memoryBusOptions,
    sqlite: sqliteDriverOptions.prefault({}),
    kafka: kafkaDriverOptions.optional(),
    pulsar: pulsarDriverOptions.optional(),
    redis: redisDriverOptions.safeExtend({ streams: redisStreamsOptions.prefault({}) }).optional(),
  })
  .prefault({});

const instant = instantLaneOptions
  .extend({
    driver: busDriver
      .default('memory')
      .describe(
        'What carries messages that are due at once. `memory` forgets them at the end of the process.',
      ),
  })
  .prefault({});

const delayed = delayedLaneOptions
  .extend({
    ledger: z
      .enum(['sqlite', 'redis'])
      .default('sqlite')
      .describe(
        'With Pulsar: where it is kept which messages are pending, moved or cancelled, as Pulsar cannot answer that. ' +
          'Replicas need `redis`.',
      ),
    pulsar: pulsarScheduleOptions.prefault({}),
  })
  .prefault({});

const worker = z
  .strictObject({
    id: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Number of this process among the workers, from 0 on. It reads the partitions p with p modulo `total` = `id`. ' +
          'Without it, workers share the partitions out among themselves. Redis only.',
      ),
    total: z.int().min(1).optional().describe('Number of workers, where they are numbered. Redis only.'),
  })
  .refine(({ id, total }) => (id ?? 0) < (total ?? 1) && (id === undefined) === (total === undefined), {
    error: 'give both, and an id from 0 to total - 1',
    path: ['id'],
  })
  .prefault({});

const idempotency = z
  .strictObject({
    store: z
      .enum(['sqlite', 'redis'])
      .default('sqlite')
      .describe('What remembers the answers to Idempotency-Keys. Replicas need `redis`.'),
    windowMs: z
      .int()
      .min(1)
      .default(60 * 60_000)
      .describe(
        'How long the idempotency key of emitted events is known, in ms, unless the call says otherwise.',
      ),
  })
  .prefault({});

const ofConsumer = consumerSettings.partial().extend({
  driver: busDriver.optional().describe('What carries the topics. Without it the default driver.'),
});

const modules = z
  .record(
    consumerName,
    ofConsumer.extend({
      pools: consumerPools.describe('How its consumers connect, by driver.'),
      consumers: z
        .record(consumerName, ofConsumer)
        .default({})
        .describe('What is otherwise for one consumer.'),
    }),
  )
  .default({})
  .describe(
    'Settings of the consumers of a module, by its name. They win over what the code says, and those of one consumer ' +
      '(`consumers.NAME`) over those of its module.',
  );

export const busOptions = z
  .strictObject({
    drivers,
    defaultDriver: busDriver
      .default('memory')
      .describe('What carries the topics of events and consumers that name no driver (`default_driver`).'),
    producers: producerPools,
    consumers: consumerDefaults.describe(
      'What applies to every consumer, unless it or its module says otherwise.',
    ),
    modules,
    lagIntervalMs: z
      .int()
      .min(0)
      .default(15_000)
      .describe('How often the brokers are asked how far consumers are behind, in ms. 0: never.'),
    retries: retryStoreOptions,
    instant,
    delayed,
    worker,
    idempotency,
  })
  .prefault({})
  .superRefine((options, context) => {
    const needs: [string, string | undefined][] = [
      ['defaultDriver', options.defaultDriver],
      ['retries.store', options.retries.store],
      ...Object.keys(options.producers).map((driver): [string, string] => [`producers.${driver}`, driver]),
      ...Object.entries(options.modules).flatMap(([name, module]) => driversOf(`modules.${name}`, module)),
      ['instant.driver', options.instant.driver],
      ['delayed.driver', options.delayed.driver],
      ['delayed.ledger', options.delayed.driver === 'pulsar' ? options.delayed.ledger : undefined],
      ['idempotency.store', options.idempotency.store],
    ];
    for (const [key, driver] of needs)
      if (driver !== undefined && options.drivers[driver as keyof typeof options.drivers] === undefined)
        context.addIssue({
          code: 'custom',
          path: key.split('.'),
          message: `is ${driver}, but drivers.${driver} is not configured`,
        });
  });

/** Where a module's section names drivers. */
function driversOf(path: string, module: z.output<typeof modules>[string]): [string, string | undefined][] {
  return [
    [`${path}.driver`, module.driver],
    ...Object.keys(module.pools).map((driver): [string, string] => [`${path}.pools.${driver}`, driver]),
    ...Object.entries(module.consumers).map(([name, { driver }]): [string, string | undefined] => [
      `${path}.consumers.${name}.driver`,
      driver,
    ]),
  ];
}

export type BusOptions = z.output<typeof busOptions>;
/** As a program writes them: everything has a default. */
export type BusOptionsInput = NonNullable<z.input<typeof busOptions>>;
