import { type DueBatch, type DueItem, DueLoop, type DueLoopOptions } from '../schedule/due-loop.js';
import type { RetryRecord } from './retry-record.js';
import type { RetryOutcome, RetryHandler } from './retry-store.port.js';

export type RetryItem = DueItem<RetryRecord>;

/** What a retry store provides to the loop of one consumer group. */
export interface RetryLoopStore {
  claim(limit: number): Promise<DueBatch<RetryItem>>;
  conclude(item: RetryItem, outcome: RetryOutcome): Promise<void>;
  release(item: RetryItem, pauseMs: number): Promise<void>;
  abandon(item: RetryItem): void;
}

/** The backoff of a record whose handler rejected, so that its outcome is unknown. */
const RELEASE = { retryInitialMs: 500, retryMaxMs: 5_000 };

/** Creates a {@link DueLoop} whose handler decides the outcome of each record. */
export function retryLoop(
  store: RetryLoopStore,
  handler: RetryHandler,
  options: Omit<DueLoopOptions, keyof typeof RELEASE>,
): DueLoop<RetryItem> {
  const outcomes = new WeakMap<RetryRecord, RetryOutcome>();
  return new DueLoop<RetryItem>(
    {
      claim: (limit) => store.claim(limit),
      settle: (item) => store.conclude(item, outcomes.get(item.message) ?? { kind: 'handled' }),
      release: (item, pauseMs) => store.release(item, pauseMs),
      abandon: (item) => store.abandon(item),
    },
    async (record) => void outcomes.set(record, await handler(record)),
    { ...options, ...RELEASE },
  );
}
