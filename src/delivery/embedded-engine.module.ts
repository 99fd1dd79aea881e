import { type DynamicModule, Module, type OnModuleDestroy } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import { Readiness } from '../metrics/index.js';
import { serveHistory } from './adapters/ipc/ipc.history.js';
import { servePresence } from './adapters/ipc/ipc.presence.js';
import { serveRegistry } from './adapters/ipc/ipc.registry.js';
import { IpcHub } from './adapters/ipc/ipc-hub.js';
import { LocalFanout } from './adapters/memory/local.fanout.js';
import { MemoryHistory } from './adapters/memory/memory.history.js';
import { MemoryPresence } from './adapters/memory/memory.presence.js';
import type { DeliveryModuleOptions, DeliveryOptions } from './delivery.options.js';
import { openEmbeddedRegistry } from './embedded-registry.module.js';
import type { Registry } from './registry/registry.port.js';

/** The history, the presence and the registered connections of the primary process, which serves them to its workers. */
export class EmbeddedEngine implements OnModuleDestroy {
  readonly #hub = new IpcHub();
  readonly #presence = new MemoryPresence();
  readonly #history: MemoryHistory;

  constructor(
    { memory }: Pick<DeliveryOptions, 'memory'>,
    private readonly registry: Registry,
  ) {
    const {
      historyMaxBytes: maxBytes,
      historyMaxChannels: maxChannels,
      idempotencyMaxKeys: maxKeys,
    } = memory;
    const fanout = new LocalFanout((publication) => this.#hub.publish(publication));
    this.#history = new MemoryHistory(fanout, { maxBytes, maxChannels, maxKeys });
  }

  serve(link: Link): void {
    this.#hub.connect(link);
    serveHistory(link, this.#history);
    servePresence(link, this.#presence);
    serveRegistry(link, this.registry);
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.#history.close(), this.#presence.close(), this.registry.close()]);
  }
}

@Module({})
export class EmbeddedEngineModule {
  static forRoot(options: DeliveryModuleOptions): DynamicModule {
    return {
      module: EmbeddedEngineModule,
      providers: [
        {
          provide: EmbeddedEngine,
          useFactory: async (readiness: Readiness) =>
            new EmbeddedEngine(options, await openEmbeddedRegistry(options.sqlite, readiness)),
          inject: [Readiness],
        },
      ],
      exports: [EmbeddedEngine],
    };
  }
}
