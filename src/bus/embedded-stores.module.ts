import { type DynamicModule, Module, type OnModuleDestroy } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import { Readiness } from '../metrics/index.js';
import { serveBus } from './adapters/ipc/ipc.bus.js';
import { serveIdempotency } from './adapters/ipc/ipc.idempotency.js';
import { serveLedger } from './adapters/ipc/ipc.ledger.js';
import { serveRetryStore } from './adapters/ipc/ipc.retry-store.js';
import { serveSchedule } from './adapters/ipc/ipc.schedule.js';
import { MemoryBus } from './adapters/memory/memory.bus.js';
import {
  openSqliteIdempotency,
  openSqliteLedger,
  openSqliteRetryStore,
  openSqliteSchedule,
} from './adapters/sqlite/sqlite-stores.js';
import type { BusOptions } from './bus.options.js';

interface Store {
  serve(link: Link): void;
  close(): Promise<void>;
}

/**
 * The bus's embedded stores, which live in the memory or the files of one process. On a machine with several workers, the
 * primary process holds them and serves them to its workers.
 */
export class EmbeddedStores implements OnModuleDestroy {
  private constructor(private readonly stores: readonly Store[]) {}

  /** Opens the embedded stores that the options name. The other stores are servers, to which every worker connects itself. */
  static async open(options: BusOptions, readiness: Readiness): Promise<EmbeddedStores> {
    const { drivers, delayed, idempotency, retries } = options;
    // Always opened: an event or a consumer may name the driver `memory`, whatever carries the lanes.
    const bus = new MemoryBus(drivers.memory, readiness.broker('memory (bus)'));
    const opening = [served(serveBus, bus)];
    if (delayed.driver === 'sqlite' || delayed.driver === 'memory')
      opening.push(served(serveSchedule, openSqliteSchedule(options, readiness)));
    if (delayed.driver === 'pulsar' && delayed.ledger === 'sqlite')
      opening.push(served(serveLedger, openSqliteLedger(options, readiness)));
    if (idempotency.store === 'sqlite')
      opening.push(served(serveIdempotency, openSqliteIdempotency(options, readiness)));
    if (retries.store === 'sqlite')
      opening.push(served(serveRetryStore, openSqliteRetryStore(options, readiness)));
    return new EmbeddedStores(await Promise.all(opening));
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

async function served<Port extends { close(): Promise<void> }>(
  serve: (link: Link, port: Port) => void,
  opening: Port | Promise<Port>,
): Promise<Store> {
  const port = await opening;
  return { serve: (link) => serve(link, port), close: () => port.close() };
}
