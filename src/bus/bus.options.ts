import { z } from 'zod';
import { checkTimers } from '../async/index.js';
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

/** The drivers that can carry topics. */
export type BusDriver = z.output<typeof busDriver>;

/** How to connect to each technology. The client library of an absent one is not loaded. */
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
        'What carries messages that are due at once. With `memory`, they are lost when the process ends.',
      ),
  })
  .prefault({});

const delayed = delayedLaneOptions
  .extend({
    ledger: z
      .enum(['sqlite', 'redis'])
      .default('sqlite')
      .describe(
        'With Pulsar: where the state of delayed messages (pending, rescheduled or cancelled) is stored, because Pulsar cannot ' +
          'be asked for it. Replicas need `redis`.',
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
        'Number of this worker, starting at 0. It reads the partitions p with p modulo `total` = `id`. Without it, the workers ' +
          'assign the partitions dynamically. Redis only.',
      ),
    total: z.int().min(1).optional().describe('Number of workers, if they have ids. Redis only.'),
  })
  .superRefine(({ id, total }, context) => {
    const missing =
      id === undefined && total !== undefined
        ? 'id'
        : total === undefined && id !== undefined
          ? 'total'
          : undefined;
    if (missing !== undefined)
      context.addIssue({
        code: 'custom',
        path: [missing],
        message:
          `is missing: a worker with a fixed share of the partitions needs its number (id, WORKER_ID) and the number of workers ` +
          '(total, TOTAL_WORKERS). Set both, or neither for a dynamic assignment',
      });
    else if (id !== undefined && total !== undefined && id >= total)
      context.addIssue({
        code: 'custom',
        path: ['id'],
        message: `${id} is too large: workers are numbered from 0 to total - 1, which is ${total - 1}`,
      });
  })
  .prefault({});

const idempotency = z
  .strictObject({
    store: z
      .enum(['sqlite', 'redis'])
      .default('sqlite')
      .describe('Where the results of idempotency keys are stored. Replicas need `redis`.'),
    windowMs: z
      .int()
      .min(1)
      .default(60 * 60_000)
      .describe(
        'How long the idempotency keys of emitted events are remembered, in ms. A call may set another time.',
      ),
  })
  .prefault({});

const consumerSection = consumerSettings.partial().extend({
  driver: busDriver.optional().describe('Driver of the topics. The default is `bus.defaultDriver`.'),
});

const files = z.array(z.string().min(1));

const moduleSection = consumerSection
  .extend({
    load: files
      .default([])
      .describe(
        'Files (./consumers.js, relative to the working directory) and packages with consumers of the module. The server loads ' +
          'them where the role `consumers` runs.',
      ),
    pools: consumerPools.describe('Connections of its consumers, by driver.'),
    consumers: z
      .union([files, z.record(consumerName, consumerSection)])
      .default({})
      .describe('Settings of single consumers, by name. A list of files instead is the same as `load`.'),
  })
  .transform(({ consumers, load, ...section }) =>
    Array.isArray(consumers)
      ? { ...section, load: [...load, ...consumers], consumers: {} }
      : { ...section, load, consumers },
  );

const modules = z
  .record(consumerName, moduleSection)
  .default({})
  .describe(
    'Settings of the consumers of a module, by the name of the module, and the files that contain them (`load`). The settings ' +
      'override those in the code. The settings of a single consumer (`consumers.NAME`) override those of its module.',
  );

export const busOptions = z
  .strictObject({
    drivers,
    defaultDriver: busDriver
      .default('memory')
      .describe('Driver of events and consumers that name no driver (`default_driver`).'),
    producers: producerPools,
    consumers: consumerDefaults.describe(
      'Defaults for every consumer. A consumer or its module may override them.',
    ),
    modules,
    lagIntervalMs: z
      .int()
      .min(0)
      .default(15_000)
      .describe('How often the lag of the consumer groups is measured, in ms. 0: never.'),
    stalledAfterMs: z
      .int()
      .min(1_000)
      .default(30_000)
      .describe(
        'How long a lane may make no progress before the readiness of the process turns red, in ms: its records keep failing, its ' +
          'membership in the consumer group keeps ending, or its backlog does not move. An idle lane makes no progress and is ready.',
      ),
    retries: retryStoreOptions,
    instant,
    delayed,
    worker,
    idempotency,
  })
  .prefault({})
  .superRefine((options, context) => {
    checkTimers(options, context);
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

/** Returns the drivers that the section of a module names, with their paths. */
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
/** The options as a program writes them. Every option has a default. */
export type BusOptionsInput = NonNullable<z.input<typeof busOptions>>;
