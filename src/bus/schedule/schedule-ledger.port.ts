import type { ScheduledMessage } from '../../message/index.js';
import type { ScheduleLimits } from '../lanes/delayed-lane.options.js';
import type { SchedulePage, ScheduleQuery, ScheduleUsage } from './schedule.port.js';

/** The result of a claim by a consumer that received a copy of a message. */
export type LedgerClaim =
  /** The caller may deliver the message. `lease` identifies the claim. `dueAt` is absent if the ledger did not know the message. */
  | { readonly outcome: 'claimed'; readonly lease: number; readonly dueAt?: number }
  /** The message is due later, in `waitMs` by the ledger's clock: it was rescheduled, or the copy came early. */
  | { readonly outcome: 'early'; readonly dueAt: number; readonly waitMs: number }
  /** Another claim is in force for `waitMs`, or longer if it is extended. */
  | { readonly outcome: 'leased'; readonly waitMs: number }
  /** The message was delivered or cancelled, or its `add` failed. The caller drops the copy. */
  | { readonly outcome: 'gone' };

export interface LedgerOptions extends ScheduleLimits {
  /** How long a claim excludes others, in ms, unless it is extended. */
  readonly leaseMs: number;
  /** How long a message that is gone is remembered after its last copy is due, in ms. */
  readonly rememberMs: number;
}

/**
 * The state of a schedule whose messages travel on a queue that cannot be queried or changed: which messages are pending, when
 * they are due, and which are gone. The queue carries copies of a message, and the ledger decides which copy counts.
 *
 * Every adapter promises:
 * - Each call is atomic and takes effect while it runs: of a concurrent `claim` and `cancel`, one wins.
 * - A message is pending from `record` until it is claimed, cancelled or abandoned. Only a pending message is found, listed, moved
 *   or cancelled.
 * - `record` resolves to true if the caller must send a copy: the id is new, or it was recorded but no copy is confirmed, because
 *   its sender may have died. The caller then calls `confirm` or `abandon`. When all senders of an id have abandoned it, it is gone,
 *   but may be recorded again.
 * - `record` rejects like `Schedule.add` if there is no room for a new message. `list` reads no payloads, like that of `Schedule`.
 * - The ledger remembers an id that is gone until `rememberMs` after the latest due time of any copy.
 * - A claim that is repeated with the same token returns the lease that it has, and renews it. A caller whose claim failed cannot
 *   know whether it took effect; it must not have to wait for its own lease.
 * - An unknown id can be claimed, so that a ledger that lost its data delivers messages twice rather than never.
 * - While the store is unavailable, calls reject with `BrokerUnavailableError` in bounded time.
 *
 * Not promised: that an expired claim is not settled or released by its holder. `release` and `extend` of such a claim have no
 * effect; `settle` takes effect, because the message was delivered.
 */
export abstract class ScheduleLedger {
  /** The ledger survives the process. */
  abstract readonly durable: boolean;
  /** Several processes may share the ledger. */
  abstract readonly shared: boolean;

  /** @param owner as for `Schedule.add` */
  abstract record(message: ScheduledMessage, owner?: string): Promise<boolean>;
  /** Reports that the queue holds a copy. */
  abstract confirm(id: string): Promise<void>;
  /** Reports that the copy could not be sent. */
  abstract abandon(id: string): Promise<void>;

  /** @param token unique to this caller and this message, and the same when the caller repeats the claim */
  abstract claim(id: string, token: string): Promise<LedgerClaim>;
  /** Renews a claim for another `leaseMs`. */
  abstract extend(id: string, lease: number): Promise<void>;
  /** Ends a claim: the message may be claimed again at once. It does not become pending again. */
  abstract release(id: string, lease: number): Promise<void>;
  /** Ends the last claim, before the queue moves the message to its dead letters. The message is forgotten unless claimed again. */
  abstract giveUp(id: string, lease: number): Promise<void>;
  /** Reports that the message was delivered. */
  abstract settle(id: string): Promise<void>;

  abstract cancel(id: string): Promise<boolean>;
  /**
   * Changes the due time of a pending message. Resolves to its previous due time, or to undefined if nothing changed.
   *
   * @param from if given, the message is moved only if this is its due time
   */
  abstract move(id: string, dueAt: number, from?: number): Promise<number | undefined>;
  abstract find(id: string): Promise<ScheduledMessage | undefined>;
  abstract list(query: ScheduleQuery): Promise<SchedulePage>;
  /** Returns what the ledger holds: messages count from `record` until they are gone or given up. */
  abstract usage(): Promise<ScheduleUsage>;
  abstract close(): Promise<void>;
}
