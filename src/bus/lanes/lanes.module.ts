import { Module, type OnModuleDestroy } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import { Link } from '../../ipc/index.js';
import { Readiness } from '../../metrics/index.js';
import { driverOptions, statusOf } from '../adapter-options.js';
import { BUS_OPTIONS } from '../bus.module-definition.js';
import type { BusOptions } from '../bus.options.js';
import { Bus } from '../bus.port.js';
import { Buses } from '../buses.js';
import { LagMeter } from '../consumers/lag-meter.js';
import { RetryStore } from '../retries/retry-store.port.js';
import { LaneDeadLetters } from './lane-dead-letters.js';
import { InstantLane } from './instant-lane.js';
import { LANE_MESSAGES, type LaneCounter, laneInstrument, LaneMeter } from './lane-meter.js';
import { MeteredInstantLane, MeteredSchedule } from './metered-lanes.js';
import {
  DELAYED_PENDING,
  DELAYED_PENDING_BYTES,
  measureSchedule,
  scheduleUsageInstruments,
} from './schedule-usage.js';
import { ProgressWatch } from '../progress-watch.js';
import type { ScheduleLedger } from '../schedule/schedule-ledger.port.js';
import { Schedule } from '../schedule/schedule.port.js';

/** The two lanes of a push: the instant lane over a `Bus`, and the delayed lane, a `Schedule`. It needs the bus module. */
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
        getToken(DELAYED_PENDING),
        getToken(DELAYED_PENDING_BYTES),
        LaneDeadLetters,
        { token: Readiness, optional: true },
        { token: Link, optional: true },
      ],
    },
    {
      provide: InstantLane,
      useFactory: createInstantLane,
      inject: [
        Bus,
        BUS_OPTIONS,
        getToken(LANE_MESSAGES),
        LaneDeadLetters,
        LagMeter,
        { token: Readiness, optional: true },
      ],
    },
    {
      provide: LaneDeadLetters,
      useFactory: (store: RetryStore, { instant }: BusOptions) => new LaneDeadLetters(store, instant),
      inject: [RetryStore, BUS_OPTIONS],
    },
    laneInstrument,
    ...scheduleUsageInstruments,
  ],
  exports: [Bus, Schedule, InstantLane],
})
export class LanesModule implements OnModuleDestroy {
  constructor(private readonly schedule: Schedule) {}

  /** Closes only the schedule: the bus module closes the bus. */
  async onModuleDestroy(): Promise<void> {
    await this.schedule.close();
  }
}

function createInstantLane(
  bus: Bus,
  { instant, stalledAfterMs }: BusOptions,
  counter: LaneCounter,
  deadLetters: LaneDeadLetters,
  lagMeter: LagMeter,
  readiness?: Readiness,
): InstantLane {
  const { driver, group, topic } = instant;
  const status = () => statusOf(readiness, `progress of the instant lane (${driver})`);
  const progress = new ProgressWatch(status, stalledAfterMs);
  const meter = new LaneMeter(counter, 'instant', driver);
  const lane = new MeteredInstantLane(bus, instant, meter, progress, deadLetters);
  const lag = async () => {
    const measured = await bus.lag(group, [topic]);
    progress.measured(measured);
    return measured;
  };
  lagMeter.watch({ group, driver, lag });
  return lane;
}

async function openMeteredSchedule(
  options: BusOptions,
  counter: LaneCounter,
  pending: Gauge<'callers'>,
  pendingBytes: Gauge<'callers'>,
  deadLetters: LaneDeadLetters,
  readiness?: Readiness,
  primary?: Link,
): Promise<Schedule> {
  const { driver } = options.delayed;
  const meter = new LaneMeter(counter, 'delayed', driver);
  const status = () => statusOf(readiness, `progress of the delayed lane (${driver})`);
  const progress = new ProgressWatch(status, options.stalledAfterMs);
  const schedule = await openSchedule(options, readiness, primary);
  const usage = measureSchedule(schedule, pending, pendingBytes, options.lagIntervalMs);
  return new MeteredSchedule(schedule, meter, progress, deadLetters, usage);
}

/** @param primary the connection of a worker to the process that holds the embedded stores */
async function openSchedule(options: BusOptions, readiness?: Readiness, primary?: Link): Promise<Schedule> {
  const { drivers, delayed } = options;
  const { driver } = delayed;
  const status = () => statusOf(readiness, `${driver} (delayed lane)`);
  switch (driver) {
    case 'memory':
    case 'sqlite': {
      if (primary === undefined) {
        const { openSqliteSchedule } = await import('../adapters/sqlite/sqlite-stores.js');
        return openSqliteSchedule(options, readiness);
      }
      const { IpcSchedule } = await import('../adapters/ipc/ipc.schedule.js');
      return IpcSchedule.open(primary);
    }
    case 'redis': {
      const { RedisSchedule } = await import('../adapters/redis/schedule/redis.schedule.js');
      return RedisSchedule.open({ ...driverOptions(drivers, driver), ...delayed }, status());
    }
    case 'pulsar': {
      const { PulsarSchedule } = await import('../adapters/pulsar/schedule/pulsar.schedule.js');
      const ledger = await openLedger(options, readiness, primary);
      const pulsar = { ...driverOptions(drivers, driver), ...delayed, ...delayed.pulsar };
      return PulsarSchedule.open(pulsar, ledger, status());
    }
    default:
      return driver satisfies never;
  }
}

async function openLedger(
  options: BusOptions,
  readiness?: Readiness,
  primary?: Link,
): Promise<ScheduleLedger> {
  const { drivers, delayed } = options;
  const { ledger } = delayed;
  switch (ledger) {
    case 'sqlite': {
      if (primary === undefined) {
        const { openSqliteLedger } = await import('../adapters/sqlite/sqlite-stores.js');
        return openSqliteLedger(options, readiness);
      }
      const { IpcLedger } = await import('../adapters/ipc/ipc.ledger.js');
      return IpcLedger.open(primary);
    }
    case 'redis': {
      const { RedisLedger } = await import('../adapters/redis/schedule/redis.ledger.js');
      const status = statusOf(readiness, 'redis (ledger of the delayed lane)');
      return RedisLedger.open({ ...driverOptions(drivers, ledger), ...delayed }, status);
    }
    default:
      return ledger satisfies never;
  }
}
