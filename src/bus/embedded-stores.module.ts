import { type DynamicModule, Module, type OnModuleDestroy } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import { Readiness } from '../metrics/index.js';
import { serveBus } from './adapters/ipc/ipc.bus.js';
import { serveIdempotency } from './adapters/ipc/ipc.idempotency.js';
import { serveLedger } from './adapters/ipc/ipc.ledger.js';
import { serveRetryStore } from './adapters/ipc/ipc.retry-store.js';
import { serveSchedule } from './adapters/ipc/ipc.schedule.js';
import { MemoryBus } from './adapters/memory/memory.bus.js';
import { SqliteIdempotency } from './adapters/sqlite/sqlite.idempotency.js';
import { SqliteLedger } from './adapters/sqlite/sqlite.ledger.js';
import { sqliteFile } from './adapters/sqlite/sqlite.options.js';
import { SqliteRetryStore } from './adapters/sqlite/sqlite.retry-store.js';
import { SqliteSchedule } from './adapters/sqlite/sqlite.schedule.js';
import type { BusOptions } from './bus.options.js';
import { embedded } from './opening.js';

interface Store {
  serve(link: Link): void;
  close(): Promise<void>;
}

/** The stores of the bus that live in a process or in its files, held by one process for the workers that it serves. */
export class EmbeddedStores implements OnModuleDestroy {
  private constructor(private readonly stores: readonly Store[]) {}

  /** Opens those that the options name; the others are servers, which every worker reaches for itself. */
  static async open(options: BusOptions, readiness: Readiness): Promise<EmbeddedStores> {
    const opening = [
      openBus(options, readiness),
      openSchedule(options, readiness),
      openLedger(options, readiness),
      openIdempotency(options, readiness),
      openRetryStore(options, readiness),
    ];
    return new EmbeddedStores((await Promise.all(opening)).filter((store) => store !== undefined));
  }

  serve(link: Link): void {
    for (const store of this.stores) store.serve(link);
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.close()));
  }
}

@Module({})
export class EmbeddedStoresModule {
  static forRoot(options: BusOptions): DynamicModule {
    return {
      module: EmbeddedStoresModule,
      providers: [
        {
          provide: EmbeddedStores,
          useFactory: (readiness: Readiness) => EmbeddedStores.open(options, readiness),
          inject: [Readiness],
        },
      ],
      exports: [EmbeddedStores],
    };
  }
}

/** Always there: a consumer or an event may name the driver `memory` besides the lanes. */
async function openBus({ drivers }: BusOptions, readiness: Readiness): Promise<Store> {
  const bus = new MemoryBus(drivers.memory, readiness.broker('memory (bus)'));
  return { serve: (link) => serveBus(link, bus), close: () => bus.close() };
}

async function openSchedule(
  { drivers, delayed }: BusOptions,
  readiness: Readiness,
): Promise<Store | undefined> {
  if (delayed.driver !== 'sqlite' && delayed.driver !== 'memory') return undefined;
  const directory = delayed.driver === 'memory' ? ':memory:' : drivers.sqlite.directory;
  const file = sqliteFile({ ...drivers.sqlite, directory }, 'schedule');
  const status = readiness.broker(`${delayed.driver} (delayed lane)`);
  const schedule = await SqliteSchedule.open({ ...file, ...delayed }, status);
  return { serve: (link) => serveSchedule(link, schedule), close: () => schedule.close() };
}

async function openLedger(
  { drivers, delayed }: BusOptions,
  readiness: Readiness,
): Promise<Store | undefined> {
  if (delayed.driver !== 'pulsar' || delayed.ledger !== 'sqlite') return undefined;
  const status = readiness.broker('sqlite (ledger of the delayed lane)');
  const ledger = await SqliteLedger.open({ ...embedded(drivers, 'ledger'), ...delayed }, status);
  return { serve: (link) => serveLedger(link, ledger), close: () => ledger.close() };
}

async function openIdempotency(
  { drivers, idempotency }: BusOptions,
  readiness: Readiness,
): Promise<Store | undefined> {
  if (idempotency.store !== 'sqlite') return undefined;
  const status = readiness.broker('sqlite (idempotency)');
  const store = await SqliteIdempotency.open(embedded(drivers, 'idempotency'), status);
  return { serve: (link) => serveIdempotency(link, store), close: () => store.close() };
}

async function openRetryStore(
  { drivers, retries }: BusOptions,
  readiness: Readiness,
): Promise<Store | undefined> {
  if (retries.store !== 'sqlite') return undefined;
  const status = readiness.broker('sqlite (retry store)');
  const records = await SqliteRetryStore.open({ ...embedded(drivers, 'parked'), ...retries }, status);
  return { serve: (link) => serveRetryStore(link, records), close: () => records.close() };
}
