import type { ScheduledMessage } from '../../message/index.js';
import type { SchedulePage, ScheduleQuery } from './schedule.port.js';

/** What a ledger says to a consumer that has a copy of a message in hand. */
export type LedgerClaim =
  /** It is the caller's to hand over. `lease` names the claim; `dueAt` is absent where the ledger did not know the message. */
  | { readonly outcome: 'claimed'; readonly lease: number; readonly dueAt?: number }
  /** It is due at `dueAt`, in `waitMs` by the ledger's clock: it was moved, or the copy came early. */
  | { readonly outcome: 'early'; readonly dueAt: number; readonly waitMs: number }
  /** Another claim is in force for `waitMs`, unless it is extended. */
  | { readonly outcome: 'leased'; readonly waitMs: number }
  /** It was handed over or cancelled, or its `add` failed: the copy is to be dropped. */
  | { readonly outcome: 'gone' };

export interface LedgerOptions {
  /** For how long a claim keeps others away, in ms, unless it is extended. */
  readonly leaseMs: number;
  /** For how long after its last copy is due a message that is gone is remembered, in ms. */
  readonly rememberMs: number;
}

/**
 * The memory of a schedule whose messages travel on a queue that cannot be asked or changed: which ids are
 * pending, for when, and which are gone. The queue carries copies of a message; the ledger decides which of them counts.
 *
 * Promised by every adapter:
 * - Each call is atomic and takes effect between its begin and its end: of a `claim` and a `cancel` at the same moment, one wins.
 * - A message is pending from `record` until it is claimed, cancelled or abandoned. Only then is it found, listed, moved
 *   and cancelled.
 * - `record` answers true if a copy is to be sent: the id is new, or was recorded and nobody confirmed yet that a copy is
 *   held (its sender may have died). The caller then calls `confirm` or `abandon`. When all senders of an id
 *   abandoned it, it is gone, but may be recorded again.
 * - An id that is gone is remembered until `rememberMs` after the latest time for which a copy may exist.
 * - An unknown id can be claimed: a ledger that lost its data delivers too much rather than too little.
 * - A store that is away makes calls reject with `BrokerUnavailableError` in bounded time.
 *
 * Not promised: that a claim that has run out is not settled or released by its former holder; `release` and `extend` of
 * such a claim change nothing, and `settle` counts, because the message was handed over.
 */
export abstract class ScheduleLedger {
  /** Outlives the process. */
  abstract readonly durable: boolean;
  /** Several processes may share it. */
  abstract readonly shared: boolean;

  abstract record(message: ScheduledMessage): Promise<boolean>;
  /** A copy is held by the queue. */
  abstract confirm(id: string): Promise<void>;
  /** The copy could not be sent. */
  abstract abandon(id: string): Promise<void>;

  abstract claim(id: string): Promise<LedgerClaim>;
  /** Begins the time of a claim anew. */
  abstract extend(id: string, lease: number): Promise<void>;
  /** Gives the claim back: the message may be claimed again at once. It does not become pending again. */
  abstract release(id: string, lease: number): Promise<void>;
  /** Gives it back for the last time: the queue is about to put the message among its dead letters. Forgotten unless claimed again. */
  abstract giveUp(id: string, lease: number): Promise<void>;
  /** The message was handed over. */
  abstract settle(id: string): Promise<void>;

  abstract cancel(id: string): Promise<boolean>;
  /**
   * Gives a pending message another due time.
   *
   * @param from if given, only where it is due at this time still
   * @returns when it was due before; undefined if nothing changed
   */
  abstract move(id: string, dueAt: number, from?: number): Promise<number | undefined>;
  abstract find(id: string): Promise<ScheduledMessage | undefined>;
  abstract list(query: ScheduleQuery): Promise<SchedulePage>;
  abstract close(): Promise<void>;
}
