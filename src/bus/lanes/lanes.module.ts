import { Global, Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Link } from '../../ipc/index.js';
import { Readiness } from '../../metrics/index.js';
import { sqliteFile } from '../adapters/sqlite/sqlite.options.js';
import { BUS_OPTIONS } from '../bus.module-definition.js';
import type { BusOptions } from '../bus.options.js';
import { Bus } from '../bus.port.js';
import { Buses } from '../buses.js';
import { LagMeter } from '../consumers/lag-meter.js';
import { InstantLane } from './instant-lane.js';
import { LANE_MESSAGES, type LaneCounter, laneInstrument, LaneMeter } from './lane-meter.js';
import { MeteredInstantLane, MeteredSchedule } from './metered-lanes.js';
import { configured, embedded, statusOf } from '../opening.js';
import type { ScheduleLedger } from '../schedule/schedule-ledger.port.js';
import { Schedule } from '../schedule/schedule.port.js';

/**
 * The two ways of a push: the instant lane over a `Bus`, and the delayed lane, the `Schedule`. Global, as both edges and
 * delivery use them. It needs the bus module.
 */
@Global()
@Module({
  providers: [
    {
      provide: Bus,
      useFactory: (buses: Buses, { instant }: BusOptions) => buses.shared(instant.driver, [instant.topic]),
      inject: [Buses, BUS_OPTIONS],
    },
    {
      provide: Schedule,
      useFactory: openMeteredSchedule,
      inject: [
        BUS_OPTIONS,
        getToken(LANE_MESSAGES),
        { token: Readiness, optional: true },
        { token: Link, optional: true },
      ],
    },
    {
      provide: InstantLane,
      useFactory: (bus: Bus, { instant }: BusOptions, counter: LaneCounter) =>
        new MeteredInstantLane(bus, instant, new LaneMeter(counter, 'instant', instant.driver)),
      inject: [Bus, BUS_OPTIONS, getToken(LANE_MESSAGES)],
    },
    laneInstrument,
  ],
  exports: [Bus, Schedule, InstantLane],
})
export class LanesModule implements OnModuleDestroy {
  constructor(
    private readonly schedule: Schedule,
    bus: Bus,
    lagMeter: LagMeter,
    @Inject(BUS_OPTIONS) { instant: { group, topic, driver } }: BusOptions,
  ) {
    lagMeter.watch({ group, driver, lag: () => bus.lag(group, [topic]) });
  }

  /** The bus is closed by its own module, which others use as well. */
  async onModuleDestroy(): Promise<void> {
    await this.schedule.close();
  }
}

async function openMeteredSchedule(
  options: BusOptions,
  counter: LaneCounter,
  readiness?: Readiness,
  primary?: Link,
): Promise<Schedule> {
  const meter = new LaneMeter(counter, 'delayed', options.delayed.driver);
  return new MeteredSchedule(await openSchedule(options, readiness, primary), meter);
}

/** @param primary there in a worker: it holds what is embedded */
async function openSchedule(
  { drivers, delayed }: BusOptions,
  readiness?: Readiness,
  primary?: Link,
): Promise<Schedule> {
  if ((delayed.driver === 'memory' || delayed.driver === 'sqlite') && primary !== undefined) {
    const { IpcSchedule } = await import('../adapters/ipc/ipc.schedule.js');
    return IpcSchedule.open(primary);
  }
  const status = statusOf(readiness, `${delayed.driver} (delayed lane)`);
  switch (delayed.driver) {
    case 'memory':
    case 'sqlite': {
      const { SqliteSchedule } = await import('../adapters/sqlite/sqlite.schedule.js');
      const directory = delayed.driver === 'memory' ? ':memory:' : drivers.sqlite.directory;
      return SqliteSchedule.open(
        { ...sqliteFile({ ...drivers.sqlite, directory }, 'schedule'), ...delayed },
        status,
      );
    }
    case 'redis': {
      const { RedisSchedule } = await import('../adapters/redis/schedule/redis.schedule.js');
      return RedisSchedule.open({ ...configured(drivers, 'redis'), ...delayed }, status);
    }
    case 'pulsar': {
      const { PulsarSchedule } = await import('../adapters/pulsar/pulsar.schedule.js');
      const ledger = await openLedger({ drivers, delayed }, readiness, primary);
      const options = { ...configured(drivers, 'pulsar'), ...delayed, ...delayed.pulsar };
      return PulsarSchedule.open(options, ledger, status);
    }
    default:
      return delayed.driver satisfies never;
  }
}

async function openLedger(
  { drivers, delayed }: Pick<BusOptions, 'drivers' | 'delayed'>,
  readiness?: Readiness,
  primary?: Link,
): Promise<ScheduleLedger> {
  if (delayed.ledger === 'sqlite' && primary !== undefined) {
    const { IpcLedger } = await import('../adapters/ipc/ipc.ledger.js');
    return IpcLedger.open(primary);
  }
  const status = statusOf(readiness, `${delayed.ledger} (ledger of the delayed lane)`);
  switch (delayed.ledger) {
    case 'sqlite': {
      const { SqliteLedger } = await import('../adapters/sqlite/sqlite.ledger.js');
      return SqliteLedger.open({ ...embedded(drivers, 'ledger'), ...delayed }, status);
    }
    case 'redis': {
      const { RedisLedger } = await import('../adapters/redis/schedule/redis.ledger.js');
      return RedisLedger.open({ ...configured(drivers, 'redis'), ...delayed }, status);
    }
    default:
      return delayed.ledger satisfies never;
  }
}
