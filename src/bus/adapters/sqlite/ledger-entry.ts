import { fromBytes, type ScheduledMessage } from '../../../message/index.js';

/** A row of the ledger. Times are Unix times in ms. */
export interface LedgerEntry {
  readonly id: string;
  readonly state: 'pending' | 'claimed' | 'gone' | 'abandoned';
  /** Null, like `due_at` and `bytes`, if only a copy of the message was seen, or if the message is gone. */
  readonly channel: string | null;
  readonly due_at: number | null;
  /** The latest due time of any copy. */
  readonly last_copy_at: number;
  /** Whether the queue is known to hold a copy. */
  readonly is_held: 0 | 1;
  /** The number of calls that are sending the first copy, or died while they did. */
  readonly senders: number;
  /** The number of the last claim. */
  readonly lease: number;
  readonly leased_until: number;
  /** When the row may be removed, in any state. */
  readonly forget_at: number | null;
  readonly bytes: Uint8Array | null;
  /** The token of the last claim. */
  readonly claimant: string | null;
  /** Null in an entry without a message, and in one of an earlier version. */
  readonly created_at: number | null;
  readonly expires_at: number | null;
  readonly owner: string | null;
  readonly size: number | null;
}

export function messageOf({ id, channel, due_at: dueAt, bytes }: LedgerEntry): ScheduledMessage | undefined {
  return channel === null || dueAt === null || bytes === null
    ? undefined
    : fromBytes({ id, channel, dueAt }, bytes);
}

/** The fields of an entry that has no message. */
export const WITHOUT_MESSAGE = {
  channel: null,
  due_at: null,
  bytes: null,
  created_at: null,
  expires_at: null,
  owner: null,
  size: null,
} as const;

/** The entry of a message of which only a copy was seen. */
export function unseen(id: string, now: number): LedgerEntry {
  return {
    id,
    state: 'claimed',
    ...WITHOUT_MESSAGE,
    last_copy_at: now,
    is_held: 1,
    senders: 0,
    lease: 0,
    leased_until: 0,
    forget_at: null,
    claimant: null,
  };
}
