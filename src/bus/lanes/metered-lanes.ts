import type { Bus, BusSubscription } from '../bus.port.js';
import type { InstantLaneOptions } from './instant-lane.options.js';
import { InstantLane } from './instant-lane.js';
import type { LaneMeter } from './lane-meter.js';
import type { Message, ScheduledMessage } from '../../message/index.js';
import type {
  DueHandler,
  Schedule,
  ScheduleConsumer,
  SchedulePage,
  ScheduleQuery,
} from '../schedule/schedule.port.js';

/** An instant lane that counts its messages. */
export class MeteredInstantLane extends InstantLane {
  constructor(
    bus: Bus,
    options: InstantLaneOptions,
    private readonly meter: LaneMeter,
  ) {
    super(bus, options, () => meter.count('undeliverable'));
  }

  override publish(messages: readonly Message[]): Promise<void> {
    return this.meter.follow(super.publish(messages), 'accepted', 'refused', messages.length);
  }

  override consume(handler: (message: Message) => Promise<void>): Promise<BusSubscription> {
    return super.consume((message) => this.meter.follow(handler(message), 'handed_over', 'returned'));
  }
}

/** Wraps a schedule and counts its messages. */
export class MeteredSchedule implements Schedule {
  readonly capabilities;

  constructor(
    private readonly schedule: Schedule,
    private readonly meter: LaneMeter,
  ) {
    this.capabilities = schedule.capabilities;
  }

  add(message: ScheduledMessage): Promise<void> {
    return this.meter.follow(this.schedule.add(message), 'accepted', 'refused');
  }

  find(id: string): Promise<ScheduledMessage | undefined> {
    return this.schedule.find(id);
  }

  list(query: ScheduleQuery): Promise<SchedulePage> {
    return this.schedule.list(query);
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

  consume(options: { readonly concurrency: number }, handler: DueHandler): Promise<ScheduleConsumer> {
    return this.schedule.consume(options, (message) =>
      this.meter.follow(handler(message), 'handed_over', 'returned'),
    );
  }

  close(): Promise<void> {
    return this.schedule.close();
  }
}
