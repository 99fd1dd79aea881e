import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import type { Schedule } from '../schedule/schedule.port.js';

export const DELAYED_PENDING = 'carillon_delayed_pending';
export const DELAYED_PENDING_BYTES = 'carillon_delayed_pending_bytes';

export const scheduleUsageInstruments = [
  makeGaugeProvider({
    name: DELAYED_PENDING,
    help: 'Number of messages in the delayed lane: of all callers, and of those without an API key.',
    labelNames: ['callers'],
    // Worker processes share the lane.
    aggregator: 'max',
  }),
  makeGaugeProvider({
    name: DELAYED_PENDING_BYTES,
    help: 'Bytes of the messages in the delayed lane: of all callers, and of those without an API key.',
    labelNames: ['callers'],
    aggregator: 'max',
  }),
];

type UsageGauge = Gauge<'callers'>;

/** Measures regularly how full the delayed lane is, so that a scrape of the metrics does not wait for the store. */
export class ScheduleUsageMeter {
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param everyMs 0: never */
  constructor(
    private readonly schedule: Pick<Schedule, 'usage'>,
    private readonly messages: UsageGauge,
    private readonly bytes: UsageGauge,
    everyMs: number,
  ) {
    if (everyMs === 0) return;
    this.#timer = setInterval(() => void this.measure(), everyMs).unref();
    void this.measure();
  }

  async measure(): Promise<void> {
    try {
      const { messages, bytes, anonymousMessages, anonymousBytes } = await this.schedule.usage();
      this.messages.set({ callers: 'all' }, messages);
      this.messages.set({ callers: 'anonymous' }, anonymousMessages);
      this.bytes.set({ callers: 'all' }, bytes);
      this.bytes.set({ callers: 'anonymous' }, anonymousBytes);
    } catch {
      // The store reports its own status.
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
