import { type DueBatch, type DueClaim, DueLoop, type DueLoopOptions } from '../schedule/due-loop.js';
import type { ParkedRecord } from './retry-record.js';
import type { Fate, ParkedHandler } from './retry-store.port.js';

export type ParkedClaim = DueClaim<ParkedRecord>;

/** What a store of parked records offers to the loop of one group. */
export interface ParkedStore {
  claim(limit: number): Promise<DueBatch<ParkedClaim>>;
  conclude(claim: ParkedClaim, fate: Fate): Promise<void>;
  release(claim: ParkedClaim, pauseMs: number): Promise<void>;
  abandon(claim: ParkedClaim): void;
}

/** Between tries of a record that told nothing. */
const RELEASE = { retryInitialMs: 500, retryMaxMs: 5_000 };

/** A {@link DueLoop} whose handler decides what becomes of the record. */
export function parkedLoop(
  store: ParkedStore,
  handler: ParkedHandler,
  options: Omit<DueLoopOptions, keyof typeof RELEASE>,
): DueLoop<ParkedClaim> {
  const fates = new WeakMap<ParkedRecord, Fate>();
  return new DueLoop<ParkedClaim>(
    {
      claim: (limit) => store.claim(limit),
      settle: (claim) => store.conclude(claim, fates.get(claim.message) ?? { kind: 'handled' }),
      release: (claim, pauseMs) => store.release(claim, pauseMs),
      abandon: (claim) => store.abandon(claim),
    },
    async (record) => void fates.set(record, await handler(record)),
    { ...options, ...RELEASE },
  );
}
