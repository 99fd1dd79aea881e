import { Module, type DynamicModule } from '@nestjs/common';
import { BusModule, LanesModule } from './bus/index.js';
import type { Config } from './config/config.js';
import { DeliveryModule, LaneConsumersModule } from './delivery/index.js';
import { GatewayModule } from './gateway/index.js';
import { HttpModule } from './http/index.js';
import { MetricsModule } from './metrics/index.js';
import { TriggerModule } from './trigger/index.js';
import { version } from './process/version.js';

/**
 * The composition root. The imports follow the table in `dependency-cruiser.cjs`; Nest starts the imported first and stops
 * the importing first, so the edges end before delivery, and delivery before the bus.
 */
@Module({})
export class AppModule {
  static forRoot({ server, gateway, trigger, bus, delivery, metrics }: Config): DynamicModule {
    const { trustedProxies } = server;
    const metricsModule = MetricsModule.forRoot(metrics);
    const busModule = importing(BusModule.forRoot(bus), metricsModule);
    const lanesModule = importing({ module: LanesModule }, busModule);
    const httpModule = importing(
      HttpModule.forRoot({ apiKeys: trigger.apiKeys, rateLimit: trigger.rateLimit, trustedProxies }),
      metricsModule,
    );
    const deliveryModule = importing(DeliveryModule.forRoot({ ...delivery, version }), lanesModule);
    const consumersModule = importing(LaneConsumersModule.forRoot(delivery), deliveryModule);
    return {
      module: AppModule,
      imports: [
        importing(GatewayModule.forRoot({ ...gateway, trustedProxies, version }), consumersModule),
        importing(TriggerModule.forRoot(trigger), consumersModule, httpModule),
      ],
    };
  }
}

function importing(module: DynamicModule, ...imported: DynamicModule[]): DynamicModule {
  return { ...module, imports: [...(module.imports ?? []), ...imported] };
}
