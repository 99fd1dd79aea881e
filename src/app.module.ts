import { Module, type DynamicModule } from '@nestjs/common';
import {
  BusModule,
  type ConsumerFiles,
  ConsumerFilesModule,
  LanesModule,
  noConsumerFiles,
} from './bus/index.js';
import { CallbacksModule } from './callbacks/index.js';
import type { Config } from './config/config.js';
import { operatorRoutes } from './config/operator-routes.js';
import { usesLanes, type Role } from './config/roles.js';
import { DeliveryModule, LaneConsumersModule } from './delivery/index.js';
import { GatewayModule, type GatewayExtensions } from './gateway/index.js';
import { HttpModule } from './http/index.js';
import { MetricsModule } from './metrics/index.js';
import { TriggerModule } from './trigger/index.js';
import { WebhooksModule } from './webhooks/index.js';
import { version } from './process/version.js';
import { protocols } from './protocols.js';

/** What an embedding application adds. */
export interface AppExtensions extends GatewayExtensions {
  /** Whether the HTTP server belongs to an application, which reports its own errors. Default: false. */
  readonly isEmbedded?: boolean;
}

/**
 * The composition root: maps the roles of this process to modules. The imports follow the table in `dependency-cruiser.cjs`. Nest
 * starts imported modules first and stops importing modules first: the edges stop before the lane consumers, then delivery, then
 * the lanes and the bus. That order needs modules that are not global; only the metrics and HTTP modules are, and they have
 * nothing to stop.
 */
@Module({})
export class AppModule {
  /**
   * @param consumerFiles the files with module consumers, which run in the role `consumers`
   */
  static forRoot(
    { server, gateway, trigger, callbacks, bus, delivery, metrics, webhooks }: Config,
    { isEmbedded = false, ...extensions }: AppExtensions = {},
    consumerFiles: ConsumerFiles = noConsumerFiles,
  ): DynamicModule {
    const { roles, trustedProxies, allowUntrustedProxies } = server;
    const proxies = { trustedProxies, allowUntrustedProxies };
    const withRole = <T>(role: Role, module: T): T[] => (roles.includes(role) ? [module] : []);
    const busModule = BusModule.forRoot({ ...bus, ...eventSettings(bus, roles), isGlobal: false });
    const lanesModule = importing({ module: LanesModule }, busModule);
    const lanes = usesLanes(roles) ? [lanesModule, busModule] : [];
    const deliveryModule = importing(
      DeliveryModule.forRoot({ ...delivery, version, sqlite: bus.drivers.sqlite }),
      ...lanes,
    );
    const shared = [deliveryModule, ...lanes];
    const consumers = withRole('consumers', importing(LaneConsumersModule.forRoot(delivery), ...shared));
    const moduleConsumers = withRole('consumers', ConsumerFilesModule.forRoot(consumerFiles, busModule));
    const gatewayModule = GatewayModule.forRoot({
      ...gateway,
      protocols,
      ...extensions,
      ...proxies,
      version,
    });
    const webhooksModule = WebhooksModule.forRoot(webhooks);
    const triggerModule = TriggerModule.forRoot(trigger);
    const { authorizerTimeoutMs, forwardedHeaders } = gateway;
    const { tokens = gateway.client.tokens } = callbacks;
    const { protocols: _, ...authorizers } = extensions;
    const callbacksModule = CallbacksModule.forRoot({
      ...callbacks,
      ...authorizers,
      tokens,
      authorizerTimeoutMs,
      forwardedHeaders,
    });
    return {
      module: AppModule,
      imports: [
        MetricsModule.forRoot(metrics),
        HttpModule.forRoot({
          ...server.http.limits,
          apiKeys: trigger.apiKeys,
          rateLimit: trigger.rateLimit,
          ...proxies,
          ...operatorRoutes(server),
          isEmbedded,
        }),
        ...consumers,
        ...moduleConsumers,
        ...withRole('gateway', importing(gatewayModule, deliveryModule, webhooksModule, ...consumers)),
        ...withRole('trigger', importing(triggerModule, ...shared, ...consumers)),
        ...(callbacks.enabled
          ? withRole('trigger', importing(callbacksModule, ...shared, ...consumers))
          : []),
      ],
      exports: withRole('trigger', TriggerModule),
    };
  }
}

function importing(module: DynamicModule, ...imported: DynamicModule[]): DynamicModule {
  return { ...module, imports: [...(module.imports ?? []), ...imported] };
}

/**
 * Returns the settings of events and consumers for these roles. Only the role `consumers` has code that uses them; its files are
 * loaded already, and the bus finds their consumers among the providers.
 */
function eventSettings(
  { modules, producers }: Config['bus'],
  roles: readonly Role[],
): Pick<Config['bus'], 'modules' | 'producers'> {
  if (!roles.includes('consumers')) return { modules: {}, producers: {} };
  const loaded = Object.entries(modules).map(([name, module]) => [name, { ...module, load: [] }]);
  return { modules: Object.fromEntries(loaded), producers };
}
