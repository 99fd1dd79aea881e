import { makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';

export const LANE_MESSAGES = 'carillon_lane_messages_total';

export const laneInstrument = makeCounterProvider({
  name: LANE_MESSAGES,
  help: 'Messages by lane, by the adapter that serves it, and by what became of them there.',
  labelNames: ['lane', 'adapter', 'outcome'],
});

/**
 * `accepted`: the lane holds it. `refused`: it does not, and the caller was told. `handed_over`: delivery has it.
 * `returned`: delivery did not take it, and it comes again. `undeliverable`: no message could be made of it.
 */
export type LaneOutcome =
  'accepted' | 'refused' | 'handed_over' | 'returned' | 'undeliverable' | 'cancelled' | 'rescheduled';

export type LaneCounter = Counter<'lane' | 'adapter' | 'outcome'>;

/** Counts what goes in and out of one lane. */
export class LaneMeter {
  constructor(
    private readonly counter: LaneCounter,
    private readonly lane: 'instant' | 'delayed',
    private readonly adapter: string,
  ) {}

  count(outcome: LaneOutcome, messages = 1): void {
    this.counter.inc({ lane: this.lane, adapter: this.adapter, outcome }, messages);
  }

  /** Counts messages as the first outcome when `done` resolves, and as the second when it rejects. */
  async follow<T>(done: Promise<T>, resolved: LaneOutcome, rejected: LaneOutcome, messages = 1): Promise<T> {
    try {
      const result = await done;
      this.count(resolved, messages);
      return result;
    } catch (error) {
      this.count(rejected, messages);
      throw error;
    }
  }
}
