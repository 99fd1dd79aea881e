import { type DynamicModule, Module } from '@nestjs/common';
import { EmbeddedStoresModule } from '../bus/index.js';
import type { Config } from '../config/config.js';
import { usesLanes } from '../config/roles.js';
import { EmbeddedEngineModule } from '../delivery/index.js';
import { MetricsModule } from '../metrics/index.js';

/** The primary process: holds the stores that only one process can hold, for all workers. It serves no client. */
@Module({})
export class PrimaryModule {
  static forRoot({ server, bus, delivery, metrics }: Config): DynamicModule {
    const stores = usesLanes(server.roles) ? [EmbeddedStoresModule.forRoot(bus)] : [];
    const engineOptions = { ...delivery, sqlite: bus.drivers.sqlite };
    const engine = delivery.fanout.kind === 'local' ? [EmbeddedEngineModule.forRoot(engineOptions)] : [];
    return { module: PrimaryModule, imports: [MetricsModule.forRoot(metrics), ...stores, ...engine] };
  }
}
