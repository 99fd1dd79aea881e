import { Global, Logger, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InstantLane, Schedule } from '../bus/index.js';
import { Readiness } from '../metrics/index.js';
import { Deduplication } from './deduplication.js';
import { deliveryInstruments, DeliveryMetrics } from './delivery.metrics.js';
import { ConfigurableDeliveryModule, DELIVERY_OPTIONS } from './delivery.module-definition.js';
import type { DeliveryOptions } from './delivery.options.js';
import { Delivery } from './delivery.js';
import { Fanout, type PublicationHandler } from './fanout.port.js';
import { LaneConsumers } from './lane-consumers.js';
import { Reception } from './reception.js';
import { Subscribers } from './subscribers.js';

/** The way out. Global, because both edges publish and attach here; the bus module and the metrics module are global too. */
@Global()
@Module({
  providers: [
    Delivery,
    DeliveryMetrics,
    ...deliveryInstruments,
    { provide: Subscribers, useFactory: createSubscribers, inject: [DeliveryMetrics] },
    { provide: Deduplication, useFactory: createDeduplication, inject: [DELIVERY_OPTIONS, DeliveryMetrics] },
    {
      provide: Reception,
      useFactory: (...parts: ConstructorParameters<typeof Reception>) => new Reception(...parts),
      inject: [Subscribers, Deduplication, DeliveryMetrics],
    },
    { provide: Fanout, useFactory: openFanout, inject: [DELIVERY_OPTIONS, Reception, Readiness] },
    {
      provide: LaneConsumers,
      useFactory: createLaneConsumers,
      inject: [InstantLane, Schedule, Delivery, DELIVERY_OPTIONS, Readiness],
    },
  ],
  exports: [Delivery],
})
export class DeliveryModule
  extends ConfigurableDeliveryModule
  implements OnApplicationBootstrap, OnModuleDestroy
{
  constructor(
    private readonly fanout: Fanout,
    private readonly laneConsumers: LaneConsumers,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.laneConsumers.start();
  }

  /** First nothing more comes in, then what is in hand has gone out. */
  async onModuleDestroy(): Promise<void> {
    await this.laneConsumers.close();
    await this.fanout.close();
  }
}

async function openFanout(
  { fanout }: DeliveryOptions,
  reception: Reception,
  readiness: Readiness,
): Promise<Fanout> {
  const handler: PublicationHandler = (publication) => reception.receive(publication);
  switch (fanout.kind) {
    case 'local': {
      const { LocalFanout } = await import('./adapters/local.fanout.js');
      return new LocalFanout(handler);
    }
    case 'redis': {
      const { RedisFanout } = await import('./adapters/redis.fanout.js');
      return RedisFanout.open(fanout, handler, {
        publishing: readiness.broker('redis (fan-out, publishing)'),
        subscriptions: readiness.broker('redis (fan-out, subscriptions)'),
      });
    }
    default:
      return fanout satisfies never;
  }
}

function createSubscribers({ subscriberFaults }: DeliveryMetrics): Subscribers {
  const logger = new Logger(Subscribers.name);
  return new Subscribers((fault) => {
    subscriberFaults.inc();
    logger.error('a subscriber threw while it received', fault instanceof Error ? fault.stack : fault);
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
      logger.warn(`remembers only the last ${coveredMs} ms of message ids: raise deduplicationMaxEntries`);
    },
  });
}

function createLaneConsumers(
  instant: InstantLane,
  schedule: Schedule,
  delivery: Delivery,
  options: DeliveryOptions,
  readiness: Readiness,
): LaneConsumers {
  return new LaneConsumers(instant, schedule, delivery, options, readiness.broker('lane consumers'));
}
