import { makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { UndeliverableRecordError } from '../../message/index.js';

export const LANE_MESSAGES = 'carillon_lane_messages_total';

export const laneInstrument = makeCounterProvider({
  name: LANE_MESSAGES,
  help: 'Number of messages by lane, adapter and outcome.',
  labelNames: ['lane', 'adapter', 'outcome'],
});

/**
 * `accepted`: the lane holds the message. `refused`: it does not, and the caller got an error. `handed_over`: the message was
 * delivered. `returned`: its delivery failed and is repeated. `undeliverable`: the record cannot be
 * decoded, or its channel does not accept its data. `overdue`: the broker did not deliver the message when it was due, so the lane
 * connected to it again.
 */
export type LaneOutcome =
  | 'accepted'
  | 'refused'
  | 'handed_over'
  | 'returned'
  | 'undeliverable'
  | 'cancelled'
  | 'rescheduled'
  | 'overdue';

export type LaneCounter = Counter<'lane' | 'adapter' | 'outcome'>;

/** Counts the messages of one lane. */
export class LaneMeter {
  constructor(
    private readonly counter: LaneCounter,
    private readonly lane: 'instant' | 'delayed',
    private readonly adapter: string,
  ) {}

  count(outcome: LaneOutcome, messages = 1): void {
    this.counter.inc({ lane: this.lane, adapter: this.adapter, outcome }, messages);
  }

  /** Counts the messages as `resolved`, `rejected` or `undeliverable` when `done` settles. */
  async follow<T>(done: Promise<T>, resolved: LaneOutcome, rejected: LaneOutcome, messages = 1): Promise<T> {
    try {
      const result = await done;
      this.count(resolved, messages);
      return result;
    } catch (error) {
      this.count(error instanceof UndeliverableRecordError ? 'undeliverable' : rejected, messages);
      throw error;
    }
  }
}
