import { z } from 'zod';
import { checkTimers } from '../async/index.js';
import { redisDriverOptions } from '../redis/index.js';
import { kafkaDriverOptions } from './adapters/kafka/kafka.options.js';
import { memoryBusOptions } from './adapters/memory/memory.options.js';
import { pulsarDriverOptions, pulsarScheduleOptions } from './adapters/pulsar/pulsar.options.js';
import { redisStreamsOptions } from './adapters/redis/redis.options.js';
import { consumerDefaults, consumerName, consumerSettings } from './consumers/consumer.options.js';
import { delayedLaneOptions } from './lanes/delayed-lane.options.js';
import { instantLaneOptions } from './lanes/instant-lane.options.js';
import { retryStoreOptions } from './retries/retry-store.options.js';
import { consumerPools, DEFAULT_POOL, producerPools } from './producers/pool.options.js';
import { sqliteDriverOptions } from '../sqlite/index.js';

const busDriver = z.enum(['memory', 'kafka', 'pulsar', 'redis']);

/** The drivers that can carry topics. */
export type BusDriver = z.output<typeof busDriver>;

const redis = redisDriverOptions.safeExtend({ streams: redisStreamsOptions.prefault({}) });

/** How to connect to each technology. The client library of an absent one is not loaded. */
const drivers = z
  .strictObject({
    memory: memoryBusOptions,
    sqlite: sqliteDriverOptions.prefault({}),
    kafka: kafkaDriverOptions.optional(),
    pulsar: pulsarDriverOptions.optional(),
    redis: redis.optional(),
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
    maxKeys: z
      .int()
      .min(1)
      .default(1_000_000)
      .describe(
        'Largest number of idempotency keys in the file. Beyond it, those that expire first are forgotten. `sqlite` only: Redis ' +
          'forgets them by time.',
      ),
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

const moduleSection = consumerSection.extend({
  load: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Files (./consumers.js, relative to the working directory) and packages with consumers of the module. The server loads ' +
        'them where the role `consumers` runs.',
    ),
  pools: consumerPools.describe('Connections of its consumers, by driver.'),
  consumers: z
    .record(consumerName, consumerSection)
    .default({})
    .describe('Settings of single consumers, by name. A list of files in its place is the same as `load`.'),
});

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
    redisPools: z
      .record(consumerName, redis)
      .default({})
      .describe(
        'Further Redis servers for events, by name, each with the settings of `bus.drivers.redis`. The pools of producers and ' +
          'modules choose one with `pool`, and a call of `emit` with its option `pool`.',
      )
      .meta({ secret: true }),
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
      ...Object.entries(options.producers).map(([driver, pool]): [string, string | undefined] => [
        `producers.${driver}`,
        needsDriver(pool) ? driver : undefined,
      ]),
      ...Object.entries(options.modules).flatMap(([name, module]) => driversOf(`modules.${name}`, module)),
      ['instant.driver', options.instant.driver],
      ['delayed.driver', options.delayed.driver],
      ['delayed.ledger', options.delayed.driver === 'pulsar' ? options.delayed.ledger : undefined],
      ['idempotency.store', options.idempotency.store],
    ];
    for (const [path, name] of poolNames(options))
      if (name !== undefined && name !== DEFAULT_POOL && !Object.hasOwn(options.redisPools, name))
        context.addIssue({
          code: 'custom',
          path,
          message: `is ${name}, but redisPools.${name} is not configured`,
        });
    for (const [key, driver] of needs)
      if (driver !== undefined && options.drivers[driver as keyof typeof options.drivers] === undefined)
        context.addIssue({
          code: 'custom',
          path: key.split('.'),
          message: `is ${driver}, but drivers.${driver} is not configured`,
        });
  });

interface Pools {
  readonly producers: z.output<typeof producerPools>;
  readonly modules: z.output<typeof modules>;
}

/** Returns the names of Redis pools that the options use, with their paths. */
function poolNames(options: Pools): [string[], string | undefined][] {
  return [
    [['producers', 'redis', 'pool'], options.producers.redis?.pool],
    ...Object.entries(options.modules).map(([name, { pools }]): [string[], string | undefined] => [
      ['modules', name, 'pools', 'redis', 'pool'],
      pools.redis?.pool,
    ]),
  ];
}

/** Whether a pool uses the driver's own settings, and not those of a named Redis. */
function needsDriver(pool: object | undefined): boolean {
  return pool !== undefined && (!('pool' in pool) || pool.pool === DEFAULT_POOL);
}

/** Returns the drivers that the section of a module names, with their paths. */
function driversOf(path: string, module: z.output<typeof modules>[string]): [string, string | undefined][] {
  return [
    [`${path}.driver`, module.driver],
    ...Object.entries(module.pools).map(([driver, pool]): [string, string | undefined] => [
      `${path}.pools.${driver}`,
      needsDriver(pool) ? driver : undefined,
    ]),
    ...Object.entries(module.consumers).map(([name, { driver }]): [string, string | undefined] => [
      `${path}.consumers.${name}.driver`,
      driver,
    ]),
  ];
}

export type BusOptions = z.output<typeof busOptions>;
/** The options as a program writes them. Every option has a default. */
export type BusOptionsInput = NonNullable<z.input<typeof busOptions>>;
