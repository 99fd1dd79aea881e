import { Module, type DynamicModule } from '@nestjs/common';
import { BusModule, LanesModule } from './bus/index.js';
import type { Config } from './config/config.js';
import { DeliveryModule, LaneConsumersModule } from './delivery/index.js';
import { GatewayModule, type GatewayExtensions } from './gateway/index.js';
import { HttpModule } from './http/index.js';
import { MetricsModule } from './metrics/index.js';
import { TriggerModule } from './trigger/index.js';
import { version } from './process/version.js';
import { protocols } from './protocols.js';

/**
 * The composition root. The imports follow the table in `dependency-cruiser.cjs`. Nest starts imported modules first and stops
 * importing modules first: the edges stop before the lane consumers, then delivery, then the lanes and the bus. That order needs
 * modules that are not global; only the metrics and HTTP modules are, and they stop nothing.
 */
@Module({})
export class AppModule {
  /** @param extensions what an embedding application adds to the gateway */
  static forRoot(
    { server, gateway, trigger, bus, delivery, metrics }: Config,
    extensions: GatewayExtensions = {},
  ): DynamicModule {
    const { trustedProxies } = server;
    const busModule = BusModule.forRoot({ ...bus, isGlobal: false });
    const lanesModule = importing({ module: LanesModule }, busModule);
    const deliveryModule = importing(DeliveryModule.forRoot({ ...delivery, version }), lanesModule);
    const consumersModule = importing(LaneConsumersModule.forRoot(delivery), deliveryModule, lanesModule);
    return {
      module: AppModule,
      imports: [
        MetricsModule.forRoot(metrics),
        HttpModule.forRoot({ apiKeys: trigger.apiKeys, rateLimit: trigger.rateLimit, trustedProxies }),
        importing(
          GatewayModule.forRoot({ ...gateway, protocols, ...extensions, trustedProxies, version }),
          consumersModule,
          deliveryModule,
        ),
        importing(TriggerModule.forRoot(trigger), consumersModule, deliveryModule, lanesModule, busModule),
      ],
    };
  }
}

function importing(module: DynamicModule, ...imported: DynamicModule[]): DynamicModule {
  return { ...module, imports: [...(module.imports ?? []), ...imported] };
}
