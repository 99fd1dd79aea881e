import { Logger } from '@nestjs/common';
import type { Bus, BusSubscription } from '../bus.port.js';
import type { InstantLaneOptions } from './instant-lane.options.js';
import { InstantLane } from './instant-lane.js';
import type { ProgressWatch } from '../progress-watch.js';
import { OverdueWatch } from './overdue-watch.js';
import type { LaneMeter } from './lane-meter.js';
import type { RegularMeasurement } from '../regular-measurement.js';
import {
  toRecord,
  UndeliverableRecordError,
  type Message,
  type ReceivedRecord,
  type ScheduledMessage,
} from '../../message/index.js';
import type { LaneDeadLetters } from './lane-dead-letters.js';
import type {
  DueHandler,
  Schedule,
  ScheduleConsumeOptions,
  ScheduleConsumer,
  SchedulePage,
  ScheduleQuery,
  ScheduleUsage,
} from '../schedule/schedule.port.js';

/** An instant lane that counts its messages. */
export class MeteredInstantLane extends InstantLane {
  constructor(
    bus: Bus,
    options: InstantLaneOptions,
    private readonly meter: LaneMeter,
    progress?: ProgressWatch,
    deadLetters?: LaneDeadLetters,
  ) {
    super(bus, options, () => meter.count('undeliverable'), progress, deadLetters);
  }

  override publish(messages: readonly Message[]): Promise<void> {
    return this.meter.follow(super.publish(messages), 'accepted', 'refused', messages.length);
  }

  override consume(handler: (message: Message) => Promise<void>): Promise<BusSubscription> {
    return super.consume((message) => this.meter.follow(handler(message), 'handed_over', 'returned'));
  }
}

/** How often the message that is due first is looked at, in ms. */
const LOOK_EVERY_MS = 5_000;

/** Wraps a schedule, counts its messages, and watches whether it makes progress while it is consumed. */
export class MeteredSchedule implements Schedule {
  readonly capabilities;
  readonly #logger = new Logger('Lanes');
  readonly #consumers = new Set<ScheduleConsumer>();
  #overdueWatch: OverdueWatch | undefined;

  constructor(
    private readonly schedule: Schedule,
    private readonly meter: LaneMeter,
    private readonly progress?: ProgressWatch,
    private readonly deadLetters?: LaneDeadLetters,
    private readonly usageMeasurement?: RegularMeasurement,
  ) {
    this.capabilities = schedule.capabilities;
  }

  add(message: ScheduledMessage, owner?: string): Promise<void> {
    return this.meter.follow(this.schedule.add(message, owner), 'accepted', 'refused');
  }

  find(id: string): Promise<ScheduledMessage | undefined> {
    return this.schedule.find(id);
  }

  list(query: ScheduleQuery): Promise<SchedulePage> {
    return this.schedule.list(query);
  }

  usage(): Promise<ScheduleUsage> {
    return this.schedule.usage();
  }

  async cancel(id: string): Promise<boolean> {
    const cancelled = await this.schedule.cancel(id);
    if (cancelled) this.meter.count('cancelled');
    return cancelled;
  }

  async reschedule(id: string, dueAt: number): Promise<boolean> {
    const rescheduled = await this.schedule.reschedule(id, dueAt);
    if (rescheduled) this.meter.count('rescheduled');
    return rescheduled;
  }

  /** A message that the handler refuses with {@link UndeliverableRecordError} becomes a dead letter. */
  async consume(options: ScheduleConsumeOptions, handler: DueHandler): Promise<ScheduleConsumer> {
    const { progress } = this;
    const counted: DueHandler = async (message) => {
      try {
        await this.meter.follow(handler(message), 'handed_over', 'returned');
      } catch (error) {
        if (this.deadLetters === undefined || !(error instanceof UndeliverableRecordError)) throw error;
        await this.deadLetters.add([{ record: recordOf(message), error }]);
      }
    };
    if (progress === undefined) return this.schedule.consume(options, counted);
    progress.start();
    this.#overdueWatch ??= new OverdueWatch(this.schedule, progress, LOOK_EVERY_MS, this.#reconnect);
    const consumer = await this.schedule.consume({ ...options, progress }, (message) =>
      progress.follow(`delivery of message ${message.id}`, counted(message)),
    );
    this.#consumers.add(consumer);
    return {
      close: async () => {
        this.#consumers.delete(consumer);
        await consumer.close();
      },
    };
  }

  close(): Promise<void> {
    this.#overdueWatch?.close();
    this.usageMeasurement?.close();
    this.progress?.close();
    return this.schedule.close();
  }

  readonly #reconnect = (overdue: string): void => {
    for (const consumer of this.#consumers) {
      if (consumer.reconnect?.(overdue) !== true) continue;
      this.#logger.warn(
        `delayed lane: message ${overdue} is overdue, and its broker has not delivered it: connecting to the broker again`,
      );
      this.meter.count('overdue');
    }
  };
}

/** The topic of dead letters of the delayed lane. */
const DELAYED_TOPIC = 'carillon.delayed';

function recordOf(message: ScheduledMessage): ReceivedRecord {
  const { key, headers = {}, value } = toRecord(message);
  return {
    topic: DELAYED_TOPIC,
    partition: 0,
    position: message.id,
    ...(key === undefined ? {} : { key }),
    headers,
    value,
    publishedAt: message.createdAt,
    attempt: 1,
  };
}
