import { Logger, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Link } from '../ipc/index.js';
import { Readiness, totals } from '../metrics/index.js';
import { ChannelHistory } from './history/channel-history.js';
import { nodeId } from './channels/address.js';
import { ChannelRules } from './channels/channel-rules.js';
import { Deduplication } from './deduplication/deduplication.js';
import { deliveryInstruments, DeliveryMetrics } from './delivery.metrics.js';
import { ConfigurableDeliveryModule, DELIVERY_OPTIONS } from './delivery.module-definition.js';
import type { DeliveryModuleOptions, DeliveryOptions } from './delivery.options.js';
import { Delivery } from './delivery.js';
import { Fanout, type PublicationHandler } from './fanout.port.js';
import { History } from './history/history.port.js';
import { openEmbeddedRegistry } from './embedded-registry.module.js';
import { Nodes } from './nodes/nodes.js';
import { Presence } from './presence/presence.port.js';
import { ConnectionCalls } from './registry/connection-calls.js';
import { Registrations } from './registry/registrations.js';
import { Registry } from './registry/registry.port.js';
import { Dispatcher } from './subscribers/dispatcher.js';
import { Subscribers } from './subscribers/subscribers.js';

const ENGINE = Symbol('ENGINE');

/** Publishes messages to the subscribers of their channels, here and on other replicas. It needs the metrics module. */
@Module({
  providers: [
    Delivery,
    DeliveryMetrics,
    ...deliveryInstruments,
    { provide: Subscribers, useFactory: createSubscribers, inject: [DeliveryMetrics] },
    { provide: Deduplication, useFactory: createDeduplication, inject: [DELIVERY_OPTIONS, DeliveryMetrics] },
    {
      provide: Dispatcher,
      useFactory: (...parts: ConstructorParameters<typeof Dispatcher>) => new Dispatcher(...parts),
      inject: [Subscribers, Deduplication, DeliveryMetrics],
    },
    {
      provide: ENGINE,
      useFactory: openEngine,
      inject: [DELIVERY_OPTIONS, Dispatcher, Readiness, DeliveryMetrics, { token: Link, optional: true }],
    },
    { provide: Fanout, useFactory: ({ fanout }: Engine) => fanout, inject: [ENGINE] },
    { provide: History, useFactory: ({ history }: Engine) => history, inject: [ENGINE] },
    { provide: Presence, useFactory: ({ presence }: Engine) => presence, inject: [ENGINE] },
    { provide: Registry, useFactory: ({ registry }: Engine) => registry, inject: [ENGINE] },
    {
      provide: Registrations,
      useFactory: createRegistrations,
      inject: [Registry, DELIVERY_OPTIONS, DeliveryMetrics],
    },
    {
      provide: ChannelRules,
      useFactory: ({ channels }: DeliveryOptions) => new ChannelRules(channels),
      inject: [DELIVERY_OPTIONS],
    },
    {
      provide: ChannelHistory,
      useFactory: (...parts: ConstructorParameters<typeof ChannelHistory>) => new ChannelHistory(...parts),
      inject: [History, ChannelRules, DELIVERY_OPTIONS],
    },
    {
      provide: ConnectionCalls,
      useFactory: (...parts: ConstructorParameters<typeof ConnectionCalls>) => new ConnectionCalls(...parts),
      inject: [Nodes, Registrations],
    },
    { provide: Nodes, useFactory: createNodes, inject: [Fanout, Subscribers, DELIVERY_OPTIONS] },
  ],
  exports: [Delivery, Nodes, Presence, Registrations, ConnectionCalls, ChannelRules],
})
export class DeliveryModule
  extends ConfigurableDeliveryModule
  implements OnApplicationBootstrap, OnModuleDestroy
{
  constructor(
    private readonly fanout: Fanout,
    private readonly history: History,
    private readonly presence: Presence,
    private readonly nodes: Nodes,
    private readonly registry: Registry,
    private readonly registrations: Registrations,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.nodes.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.nodes.close(), this.registrations.close()]);
    await Promise.all([this.history.close(), this.presence.close(), this.registry.close()]);
    await this.fanout.close();
  }
}

/** The ports that share a store. */
interface Engine {
  readonly fanout: Fanout;
  readonly history: History;
  readonly presence: Presence;
  readonly registry: Registry;
}

async function openEngine(
  { fanout, memory, sqlite }: DeliveryModuleOptions,
  dispatcher: Dispatcher,
  readiness: Readiness,
  metrics: DeliveryMetrics,
  primary?: Link,
): Promise<Engine> {
  const handler: PublicationHandler = (publication) => dispatcher.dispatch(publication);
  switch (fanout.kind) {
    case 'local': {
      if (primary !== undefined) return connectEngine(primary, handler);
      const [{ LocalFanout }, { MemoryHistory }, { MemoryPresence }] = await Promise.all([
        import('./adapters/memory/local.fanout.js'),
        import('./adapters/memory/memory.history.js'),
        import('./adapters/memory/memory.presence.js'),
      ]);
      const { historyMaxBytes: maxBytes, historyMaxChannels: maxChannels, idempotencyMaxKeys } = memory;
      const local = new LocalFanout(handler);
      const history = new MemoryHistory(local, { maxBytes, maxChannels, maxKeys: idempotencyMaxKeys });
      return {
        fanout: local,
        history,
        presence: new MemoryPresence(),
        registry: await openEmbeddedRegistry(sqlite, readiness),
      };
    }
    case 'redis': {
      const { openRedisEngine } = await import('./adapters/redis/redis.engine.js');
      return openRedisEngine(fanout, {
        handler,
        onInterrupted: (isAffected) => dispatcher.notifyInterrupted(isAffected),
        probes: {
          onEcho: (ms) => metrics.probeSeconds.observe(ms / 1_000),
          onLost: () => metrics.lostProbes.inc(),
        },
        status: (shard) => {
          const name = `redis${shard && ` ${shard}`}`;
          return {
            publishing: readiness.broker(`${name} (fan-out, publishing)`),
            subscriptions: readiness.broker(`${name} (fan-out, subscriptions)`),
          };
        },
      });
    }
    default:
      return fanout satisfies never;
  }
}

/** Opens the ports of a worker, whose primary process has the stores. */
async function connectEngine(primary: Link, handler: PublicationHandler): Promise<Engine> {
  const [{ IpcFanout }, { IpcHistory }, { IpcPresence }, { IpcRegistry }] = await Promise.all([
    import('./adapters/ipc/ipc.fanout.js'),
    import('./adapters/ipc/ipc.history.js'),
    import('./adapters/ipc/ipc.presence.js'),
    import('./adapters/ipc/ipc.registry.js'),
  ]);
  return {
    fanout: new IpcFanout(primary, handler),
    history: new IpcHistory(primary),
    presence: new IpcPresence(primary),
    registry: new IpcRegistry(primary),
  };
}

function createSubscribers({ subscriberFaults }: DeliveryMetrics): Subscribers {
  const logger = new Logger(Subscribers.name);
  return new Subscribers((fault) => {
    subscriberFaults.inc();
    logger.error(
      'a subscriber threw an error while it received a publication',
      fault instanceof Error ? fault.stack : fault,
    );
  });
}

function createDeduplication(
  { deduplicationWindowMs, deduplicationMaxEntries }: DeliveryOptions,
  { deduplicationShortened }: DeliveryMetrics,
): Deduplication {
  const logger = new Logger(Deduplication.name);
  return new Deduplication({
    windowMs: deduplicationWindowMs,
    maxEntries: deduplicationMaxEntries,
    onShortened: (coveredMs) => {
      deduplicationShortened.inc();
      logger.warn(
        `remembers only the message ids of the last ${coveredMs} ms: raise deduplicationMaxEntries`,
      );
    },
  });
}

function createRegistrations(
  registry: Registry,
  { registry: { leaseMs, cleanupConcurrency, cleanupGiveUpAfterMs } }: DeliveryOptions,
  { cleanups }: DeliveryMetrics,
): Registrations {
  return new Registrations(registry, {
    node: nodeId,
    leaseMs,
    concurrency: cleanupConcurrency,
    giveUpAfterMs: cleanupGiveUpAfterMs,
    onCleanup: (result, wasOrphan) => cleanups.inc({ result, orphan: String(wasOrphan) }),
  });
}

function createNodes(fanout: Fanout, subscribers: Subscribers, options: DeliveryModuleOptions): Nodes {
  const { nodeName: name, version = '', nodeAnnounceIntervalMs, surveyTimeoutMs } = options;
  return new Nodes(fanout, subscribers, {
    name,
    version,
    announceIntervalMs: nodeAnnounceIntervalMs,
    surveyTimeoutMs,
    totals,
  });
}
