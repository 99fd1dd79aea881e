import { Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { claimUncaughtErrors } from '../async/index.js';
import { Link } from '../ipc/index.js';
import { type BrokerStatus, Readiness } from '../metrics/index.js';
import { BusMetrics, busInstruments } from './bus.metrics.js';
import {
  BUS_OPTIONS,
  completeOptions,
  ConfigurableBusModule,
  GIVEN_OPTIONS,
} from './bus.module-definition.js';
import type { BusDriver, BusOptions } from './bus.options.js';
import type { Bus } from './bus.port.js';
import { Buses, type BusUse } from './buses.js';
import { ConsumerDiscovery } from './consumers/consumer-discovery.js';
import { ConsumerRegistry } from './consumers/consumer-registry.js';
import { takeUncaughtError } from './consumers/user-code.js';
import { DeadLetters } from './retries/dead-letters.js';
import { Events } from './consumers/events.js';
import { LagMeter } from './consumers/lag-meter.js';
import { Idempotency } from './idempotency.port.js';
import { driverOptions, redisOptions, statusOf } from './adapter-options.js';
import { RegularMeasurement } from './regular-measurement.js';
import { ProgressWatch } from './progress-watch.js';
import { RetryStore } from './retries/retry-store.port.js';
import { tunedKafka, tunedPulsar, tunedRedis } from './producers/pool-tuning.js';

class DeadLetterUsageMeasurement extends RegularMeasurement {}

const optionalReadiness = { token: Readiness, optional: true };
/** Present in a worker process, whose primary process holds the embedded stores. */
const optionalPrimary = { token: Link, optional: true };

/**
 * Topics, events and consumers over any driver. It needs only its options, so an application can import it alone. An adapter is
 * loaded only if it is configured.
 *
 * It is global by default, because consumers may be providers of any module. Nest stops global modules last, and not in the
 * order of their imports: an application whose other modules must stop before the bus passes `isGlobal: false`.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: BUS_OPTIONS, useFactory: completeOptions, inject: [GIVEN_OPTIONS] },
    { provide: Buses, useFactory: createBuses, inject: [BUS_OPTIONS, optionalReadiness, optionalPrimary] },
    {
      provide: Idempotency,
      useFactory: openIdempotency,
      inject: [BUS_OPTIONS, optionalReadiness, optionalPrimary],
    },
    {
      provide: RetryStore,
      useFactory: openRetryStore,
      inject: [BUS_OPTIONS, optionalReadiness, optionalPrimary],
    },
    {
      provide: Events,
      useFactory: (buses: Buses, store: Idempotency, { idempotency }: BusOptions) =>
        new Events(buses, store, idempotency.windowMs),
      inject: [Buses, Idempotency, BUS_OPTIONS],
    },
    {
      provide: ConsumerRegistry,
      useFactory: createConsumers,
      inject: [BUS_OPTIONS, Buses, RetryStore, BusMetrics, optionalReadiness],
    },
    {
      provide: DeadLetters,
      useFactory: (retryStore: RetryStore) => new DeadLetters(retryStore),
      inject: [RetryStore],
    },
    {
      provide: LagMeter,
      useFactory: (registry: ConsumerRegistry, metrics: BusMetrics, { lagIntervalMs }: BusOptions) =>
        new LagMeter(registry, metrics, lagIntervalMs),
      inject: [ConsumerRegistry, BusMetrics, BUS_OPTIONS],
    },
    {
      provide: DeadLetterUsageMeasurement,
      useFactory: (store: RetryStore, metrics: BusMetrics, { lagIntervalMs }: BusOptions) =>
        new DeadLetterUsageMeasurement(
          async () => metrics.setDeadLetters(await store.usage()),
          lagIntervalMs,
        ),
      inject: [RetryStore, BusMetrics, BUS_OPTIONS],
    },
    ConsumerDiscovery,
    BusMetrics,
    ...busInstruments,
  ],
  exports: [BUS_OPTIONS, Buses, Idempotency, Events, ConsumerRegistry, DeadLetters, RetryStore, LagMeter],
})
export class BusModule extends ConfigurableBusModule implements OnModuleInit, OnModuleDestroy {
  /** Only the server asks for it: an application of one's own has its own listeners, and calls {@link takeUncaughtError} in them. */
  readonly #unclaim = claimUncaughtErrors(takeUncaughtError);

  constructor(
    private readonly buses: Buses,
    private readonly idempotency: Idempotency,
    private readonly retryStore: RetryStore,
    private readonly consumers: ConsumerRegistry,
    private readonly lagMeter: LagMeter,
    private readonly deadLetterUsage: DeadLetterUsageMeasurement,
  ) {
    super();
  }

  onModuleInit(): Promise<void> {
    return this.buses.openProducers();
  }

  /** Closes the consumers first, because their handlers may emit until they are done. */
  async onModuleDestroy(): Promise<void> {
    this.lagMeter.close();
    this.deadLetterUsage.close();
    await this.consumers.close();
    await Promise.all([this.buses.close(), this.retryStore.close(), this.idempotency.close()]);
    this.#unclaim();
  }
}

function createBuses(options: BusOptions, readiness?: Readiness, primary?: Link): Buses {
  return new Buses(options, (driver, use) => openBus(options, driver, use, readiness, primary));
}

function createConsumers(
  options: BusOptions,
  buses: Buses,
  retryStore: RetryStore,
  metrics: BusMetrics,
  readiness?: Readiness,
): ConsumerRegistry {
  const status = () => statusOf(readiness, 'progress of the consumers');
  const progress = new ProgressWatch(status, options.stalledAfterMs);
  return new ConsumerRegistry(options, { buses, retryStore, metrics, progress });
}

/** Its status does not count any more when it is closed: a pool closes connections that are idle. */
async function openBus(
  options: BusOptions,
  driver: BusDriver,
  use: BusUse,
  readiness?: Readiness,
  primary?: Link,
): Promise<Bus> {
  let status: BrokerStatus | undefined;
  const openStatus = (): BrokerStatus => (status = statusOf(readiness, `${driver} (${use.name})`));
  const bus = await openAdapter(options, driver, use, openStatus, primary);
  const close = bus.close.bind(bus);
  bus.close = () => close().finally(() => status?.closed());
  return bus;
}

async function openAdapter(
  options: BusOptions,
  driver: BusDriver,
  { tuning = {}, topics = [] }: BusUse,
  status: () => BrokerStatus,
  primary?: Link,
): Promise<Bus> {
  const { drivers, worker } = options;
  switch (driver) {
    case 'memory': {
      if (primary === undefined) {
        const { MemoryBus } = await import('./adapters/memory/memory.bus.js');
        return new MemoryBus(drivers.memory, status());
      }
      const { IpcBus } = await import('./adapters/ipc/ipc.bus.js');
      return IpcBus.open(primary);
    }
    case 'kafka': {
      const { KafkaBus } = await import('./adapters/kafka/kafka.bus.js');
      return KafkaBus.open(tunedKafka(driverOptions(drivers, driver), tuning), status());
    }
    case 'pulsar': {
      const { PulsarBus } = await import('./adapters/pulsar/pulsar.bus.js');
      return PulsarBus.open(tunedPulsar(driverOptions(drivers, driver), tuning), status(), topics);
    }
    case 'redis': {
      const { RedisBus } = await import('./adapters/redis/redis.bus.js');
      const tuned = tunedRedis(redisOptions(options, tuning.pool), tuning);
      return RedisBus.open({ ...tuned, worker: numbered(worker) }, status());
    }
    default:
      return driver satisfies never;
  }
}

async function openIdempotency(
  options: BusOptions,
  readiness?: Readiness,
  primary?: Link,
): Promise<Idempotency> {
  const { store } = options.idempotency;
  switch (store) {
    case 'sqlite': {
      if (primary === undefined) {
        const { openSqliteIdempotency } = await import('./adapters/sqlite/sqlite-stores.js');
        return openSqliteIdempotency(options, readiness);
      }
      const { IpcIdempotency } = await import('./adapters/ipc/ipc.idempotency.js');
      return new IpcIdempotency(primary);
    }
    case 'redis': {
      const { RedisIdempotency } = await import('./adapters/redis/redis.idempotency.js');
      const status = statusOf(readiness, 'redis (idempotency)');
      return RedisIdempotency.open(driverOptions(options.drivers, store), status);
    }
    default:
      return store satisfies never;
  }
}

async function openRetryStore(
  options: BusOptions,
  readiness?: Readiness,
  primary?: Link,
): Promise<RetryStore> {
  const { store } = options.retries;
  switch (store) {
    case 'sqlite': {
      if (primary === undefined) {
        const { openSqliteRetryStore } = await import('./adapters/sqlite/sqlite-stores.js');
        return openSqliteRetryStore(options, readiness);
      }
      const { IpcRetryStore } = await import('./adapters/ipc/ipc.retry-store.js');
      return IpcRetryStore.open(primary);
    }
    case 'redis': {
      const { RedisRetryStore } = await import('./adapters/redis/retries/redis.retry-store.js');
      const status = statusOf(readiness, 'redis (retry store)');
      return RedisRetryStore.open({ ...driverOptions(options.drivers, store), ...options.retries }, status);
    }
    default:
      return store satisfies never;
  }
}

function numbered({ id, total }: BusOptions['worker']) {
  return id === undefined || total === undefined ? undefined : { id, total };
}
