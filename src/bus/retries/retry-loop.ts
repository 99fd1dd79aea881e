import { type DueBatch, type DueItem, DueLoop, type DueLoopOptions } from '../schedule/due-loop.js';
import type { RetryRecord } from './retry-record.js';
import type { RetryOutcome, RetryHandler } from './retry-store.port.js';

export type RetryItem = DueItem<RetryRecord>;

/** What a store of parked records offers to the loop of one group. */
export interface RetryLoopStore {
  claim(limit: number): Promise<DueBatch<RetryItem>>;
  conclude(claim: RetryItem, outcome: RetryOutcome): Promise<void>;
  release(claim: RetryItem, pauseMs: number): Promise<void>;
  abandon(claim: RetryItem): void;
}

/** Between tries of a record that told nothing. */
const RELEASE = { retryInitialMs: 500, retryMaxMs: 5_000 };

/** A {@link DueLoop} whose handler decides what becomes of the record. */
export function retryLoop(
  store: RetryLoopStore,
  handler: RetryHandler,
  options: Omit<DueLoopOptions, keyof typeof RELEASE>,
): DueLoop<RetryItem> {
  const outcomes = new WeakMap<RetryRecord, RetryOutcome>();
  return new DueLoop<RetryItem>(
    {
      claim: (limit) => store.claim(limit),
      settle: (claim) => store.conclude(claim, outcomes.get(claim.message) ?? { kind: 'handled' }),
      release: (claim, pauseMs) => store.release(claim, pauseMs),
      abandon: (claim) => store.abandon(claim),
    },
    async (record) => void outcomes.set(record, await handler(record)),
    { ...options, ...RELEASE },
  );
}
