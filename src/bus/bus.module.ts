import { Global, Module, type OnModuleDestroy } from '@nestjs/common';
import { Readiness } from '../metrics/index.js';
import { sqliteFile, type SqliteFile } from './adapters/sqlite.options.js';
import { AdapterUnusableError } from './bus.errors.js';
import { BUS_OPTIONS, ConfigurableBusModule } from './bus.module-definition.js';
import type { BusOptions } from './bus.options.js';
import { Bus } from './bus.port.js';
import { Idempotency } from './idempotency.port.js';
import { InstantLane } from './instant-lane.js';
import type { ScheduleLedger } from './schedule-ledger.port.js';
import { Schedule } from './schedule.port.js';

/**
 * The way in: the instant lane over a `Bus`, the delayed lane (`Schedule`), and `Idempotency`. Global, as both edges and delivery use
 * it. Adapters are loaded when they are chosen.
 */
@Global()
@Module({
  providers: [
    { provide: Bus, useFactory: openBus, inject: [BUS_OPTIONS, Readiness] },
    { provide: Schedule, useFactory: openSchedule, inject: [BUS_OPTIONS, Readiness] },
    { provide: Idempotency, useFactory: openIdempotency, inject: [BUS_OPTIONS, Readiness] },
    {
      provide: InstantLane,
      useFactory: (bus: Bus, { instant }: BusOptions) => new InstantLane(bus, instant),
      inject: [Bus, BUS_OPTIONS],
    },
  ],
  exports: [Bus, Schedule, Idempotency, InstantLane],
})
export class BusModule extends ConfigurableBusModule implements OnModuleDestroy {
  constructor(
    private readonly bus: Bus,
    private readonly schedule: Schedule,
    private readonly idempotency: Idempotency,
  ) {
    super();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.bus.close(), this.schedule.close(), this.idempotency.close()]);
  }
}

async function openBus({ drivers, instant }: BusOptions, readiness: Readiness): Promise<Bus> {
  const status = readiness.broker(`${instant.driver} (instant lane)`);
  switch (instant.driver) {
    case 'memory': {
      const { MemoryBus } = await import('./adapters/memory.bus.js');
      return new MemoryBus(drivers.memory, status);
    }
    case 'kafka': {
      const { KafkaBus } = await import('./adapters/kafka.bus.js');
      return KafkaBus.open(configured('kafka', drivers.kafka), status);
    }
    case 'pulsar': {
      const { PulsarBus } = await import('./adapters/pulsar.bus.js');
      return PulsarBus.open(configured('pulsar', drivers.pulsar), status, [instant.topic]);
    }
    default:
      return instant.driver satisfies never;
  }
}

async function openSchedule({ drivers, delayed }: BusOptions, readiness: Readiness): Promise<Schedule> {
  const status = readiness.broker(`${delayed.driver} (delayed lane)`);
  switch (delayed.driver) {
    case 'memory':
    case 'sqlite': {
      const { SqliteSchedule } = await import('./adapters/sqlite.schedule.js');
      const directory = delayed.driver === 'memory' ? ':memory:' : drivers.sqlite.directory;
      return SqliteSchedule.open(
        { ...sqliteFile({ ...drivers.sqlite, directory }, 'schedule'), ...delayed },
        status,
      );
    }
    case 'redis': {
      const { RedisSchedule } = await import('./adapters/redis.schedule.js');
      return RedisSchedule.open({ ...configured('redis', drivers.redis), ...delayed }, status);
    }
    case 'pulsar': {
      const { PulsarSchedule } = await import('./adapters/pulsar.schedule.js');
      const ledger = await openLedger({ drivers, delayed }, readiness);
      const options = { ...configured('pulsar', drivers.pulsar), ...delayed, ...delayed.pulsar };
      return PulsarSchedule.open(options, ledger, status);
    }
    default:
      return delayed.driver satisfies never;
  }
}

async function openLedger(
  { drivers, delayed }: Pick<BusOptions, 'drivers' | 'delayed'>,
  readiness: Readiness,
): Promise<ScheduleLedger> {
  const status = readiness.broker(`${delayed.ledger} (ledger of the delayed lane)`);
  switch (delayed.ledger) {
    case 'sqlite': {
      const { SqliteLedger } = await import('./adapters/sqlite.ledger.js');
      return SqliteLedger.open({ ...embedded(drivers, 'ledger'), ...delayed }, status);
    }
    case 'redis': {
      const { RedisLedger } = await import('./adapters/redis.ledger.js');
      return RedisLedger.open({ ...configured('redis', drivers.redis), ...delayed }, status);
    }
    default:
      return delayed.ledger satisfies never;
  }
}

async function openIdempotency(
  { drivers, idempotency }: BusOptions,
  readiness: Readiness,
): Promise<Idempotency> {
  const status = readiness.broker(`${idempotency.store} (idempotency)`);
  switch (idempotency.store) {
    case 'sqlite': {
      const { SqliteIdempotency } = await import('./adapters/sqlite.idempotency.js');
      return SqliteIdempotency.open(embedded(drivers, 'idempotency'), status);
    }
    case 'redis': {
      const { RedisIdempotency } = await import('./adapters/redis.idempotency.js');
      return RedisIdempotency.open(configured('redis', drivers.redis), status);
    }
    default:
      return idempotency.store satisfies never;
  }
}

function embedded(drivers: BusOptions['drivers'], store: string): SqliteFile {
  return sqliteFile(drivers.sqlite, store);
}

/** The schema has checked this; it holds for options that a program made by hand. */
function configured<T>(driver: string, options: T | undefined): T {
  if (options === undefined) throw new AdapterUnusableError(`drivers.${driver} is not configured`);
  return options;
}
