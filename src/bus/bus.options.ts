import { z } from 'zod';
import { redisDriverOptions } from '../redis/index.js';
import { kafkaDriverOptions } from './adapters/kafka.options.js';
import { memoryBusOptions } from './adapters/memory.options.js';
import { pulsarDriverOptions, pulsarScheduleOptions } from './adapters/pulsar.options.js';
import { sqliteDriverOptions } from './adapters/sqlite.options.js';
import { delayedLaneOptions } from './delayed-lane.options.js';
import { instantLaneOptions } from './instant-lane.options.js';

/** How each technology is reached. What is absent is not used, and its client library is not loaded. */
const drivers = z
  .strictObject({
    memory: memoryBusOptions,
    sqlite: sqliteDriverOptions.prefault({}),
    kafka: kafkaDriverOptions.optional(),
    pulsar: pulsarDriverOptions.optional(),
    redis: redisDriverOptions.optional(),
  })
  .prefault({});

const instant = instantLaneOptions
  .extend({
    driver: z
      .enum(['memory', 'kafka', 'pulsar'])
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

const idempotency = z
  .strictObject({
    store: z
      .enum(['sqlite', 'redis'])
      .default('sqlite')
      .describe('What remembers the answers to Idempotency-Keys. Replicas need `redis`.'),
  })
  .prefault({});

export const busOptions = z
  .strictObject({ drivers, instant, delayed, idempotency })
  .prefault({})
  .superRefine((options, context) => {
    const needs: [string, string | undefined][] = [
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

export type BusOptions = z.output<typeof busOptions>;
