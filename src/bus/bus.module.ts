import { Global, Module, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Link } from '../ipc/index.js';
import { Readiness } from '../metrics/index.js';
import { BusMetrics, busInstruments } from './bus.metrics.js';
import { BUS_OPTIONS, completed, ConfigurableBusModule, GIVEN_OPTIONS } from './bus.module-definition.js';
import type { BusDriver, BusOptions } from './bus.options.js';
import type { Bus } from './bus.port.js';
import { Buses, type BusUse } from './buses.js';
import { ConsumerDiscovery } from './consumers/consumer-discovery.js';
import { ConsumerRegistry } from './consumers/consumer-registry.js';
import { DeadLetters } from './retries/dead-letters.js';
import { Events } from './consumers/events.js';
import { LagMeter } from './consumers/lag-meter.js';
import { Idempotency } from './idempotency.port.js';
import { configured, embedded, statusOf } from './opening.js';
import { RetryStore } from './retries/retry-store.port.js';
import { tunedKafka, tunedPulsar, tunedRedis } from './producers/pool-tuning.js';

const optionalReadiness = { token: Readiness, optional: true };
/** There in a worker: its primary process holds the embedded stores. */
const optionalPrimary = { token: Link, optional: true };

/**
 * Topics, events and their consumers, over any driver. It needs nothing but its options, so that an application can import
 * it alone; adapters are loaded when they are chosen. Global, because consumers may be providers of any module.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: BUS_OPTIONS, useFactory: completed, inject: [GIVEN_OPTIONS] },
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
      useFactory: (options: BusOptions, buses: Buses, retryStore: RetryStore, metrics: BusMetrics) =>
        new ConsumerRegistry(options, { buses, retryStore, metrics }),
      inject: [BUS_OPTIONS, Buses, RetryStore, BusMetrics],
    },
    {
      provide: DeadLetters,
      useFactory: (retryStore: RetryStore) => new DeadLetters(retryStore),
      inject: [RetryStore],
    },
    {
      provide: LagMeter,
      useFactory: (registry: ConsumerRegistry, { lag }: BusMetrics, { lagIntervalMs }: BusOptions) =>
        new LagMeter(registry, lag, lagIntervalMs),
      inject: [ConsumerRegistry, BusMetrics, BUS_OPTIONS],
    },
    ConsumerDiscovery,
    BusMetrics,
    ...busInstruments,
  ],
  exports: [BUS_OPTIONS, Buses, Idempotency, Events, ConsumerRegistry, DeadLetters, LagMeter],
})
export class BusModule extends ConfigurableBusModule implements OnModuleDestroy {
  constructor(
    private readonly buses: Buses,
    private readonly idempotency: Idempotency,
    private readonly retryStore: RetryStore,
    private readonly consumers: ConsumerRegistry,
    private readonly lagMeter: LagMeter,
  ) {
    super();
  }

  /** Handlers may emit until they are done, so the consumers go first. */
  async onModuleDestroy(): Promise<void> {
    this.lagMeter.close();
    await this.consumers.close();
    await Promise.all([this.buses.close(), this.retryStore.close(), this.idempotency.close()]);
  }
}

function createBuses(options: BusOptions, readiness?: Readiness, primary?: Link): Buses {
  return new Buses(options, async (driver, use) => {
    if (driver !== 'memory' || primary === undefined) return openBus(options, driver, use, readiness);
    const { IpcBus } = await import('./adapters/ipc/ipc.bus.js');
    return IpcBus.open(primary);
  });
}

async function openBus(
  { drivers, worker }: BusOptions,
  driver: BusDriver,
  { name, tuning = {}, topics = [] }: BusUse,
  readiness?: Readiness,
): Promise<Bus> {
  const status = statusOf(readiness, `${driver} (${name})`);
  switch (driver) {
    case 'memory': {
      const { MemoryBus } = await import('./adapters/memory/memory.bus.js');
      return new MemoryBus(drivers.memory, status);
    }
    case 'kafka': {
      const { KafkaBus } = await import('./adapters/kafka/kafka.bus.js');
      return KafkaBus.open(tunedKafka(configured(drivers, driver), tuning), status);
    }
    case 'pulsar': {
      const { PulsarBus } = await import('./adapters/pulsar/pulsar.bus.js');
      return PulsarBus.open(tunedPulsar(configured(drivers, driver), tuning), status, topics);
    }
    case 'redis': {
      const { RedisBus } = await import('./adapters/redis/redis.bus.js');
      const options = tunedRedis(configured(drivers, driver), tuning);
      return RedisBus.open({ ...options, worker: numbered(worker) }, status);
    }
    default:
      return driver satisfies never;
  }
}

async function openIdempotency(
  { drivers, idempotency }: BusOptions,
  readiness?: Readiness,
  primary?: Link,
): Promise<Idempotency> {
  if (idempotency.store === 'sqlite' && primary !== undefined) {
    const { IpcIdempotency } = await import('./adapters/ipc/ipc.idempotency.js');
    return new IpcIdempotency(primary);
  }
  const status = statusOf(readiness, `${idempotency.store} (idempotency)`);
  switch (idempotency.store) {
    case 'sqlite': {
      const { SqliteIdempotency } = await import('./adapters/sqlite/sqlite.idempotency.js');
      return SqliteIdempotency.open(embedded(drivers, 'idempotency'), status);
    }
    case 'redis': {
      const { RedisIdempotency } = await import('./adapters/redis/redis.idempotency.js');
      return RedisIdempotency.open(configured(drivers, 'redis'), status);
    }
    default:
      return idempotency.store satisfies never;
  }
}

async function openRetryStore(
  { drivers, retries }: BusOptions,
  readiness?: Readiness,
  primary?: Link,
): Promise<RetryStore> {
  if (retries.store === 'sqlite' && primary !== undefined) {
    const { IpcRetryStore } = await import('./adapters/ipc/ipc.retry-store.js');
    return IpcRetryStore.open(primary);
  }
  const status = statusOf(readiness, `${retries.store} (retry store)`);
  switch (retries.store) {
    case 'sqlite': {
      const { SqliteRetryStore } = await import('./adapters/sqlite/sqlite.retry-store.js');
      return SqliteRetryStore.open({ ...embedded(drivers, 'parked'), ...retries }, status);
    }
    case 'redis': {
      const { RedisRetryStore } = await import('./adapters/redis/retries/redis.retry-store.js');
      return RedisRetryStore.open({ ...configured(drivers, 'redis'), ...retries }, status);
    }
    default:
      return retries.store satisfies never;
  }
}

function numbered({ id, total }: BusOptions['worker']) {
  return id === undefined || total === undefined ? undefined : { id, total };
}
