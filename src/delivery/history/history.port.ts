import type { MessageFormat } from '../../message/index.js';
import type { ClientInfo } from '../presence/client-info.js';
import type { Publication, StreamPosition } from '../publications/publication.js';

/** What is kept of a channel. */
export interface HistoryOptions {
  /** How many of the last publications. */
  readonly size: number;
  /** For how long after the last publication, in ms. */
  readonly ttlMs: number;
  /** For how long offset and epoch are kept after the last use, in ms. */
  readonly metaTtlMs: number;
}

/** Under which conditions a publication is sent. */
export interface PublishConditions {
  /** Absent: it is sent, and not kept. */
  readonly history?: HistoryOptions;
  /** What was published in the channel with the same key inside `ttlMs` is not sent again. */
  readonly idempotency?: { readonly key: string; readonly ttlMs: number };
  /**
   * Not sent if the last version in the history is not below `number`. A non-empty `epoch` that is not the last one's makes
   * the versions incomparable: it is sent. Needs `history`.
   */
  readonly version?: { readonly number: number; readonly epoch: string };
}

export interface HistoryEntry {
  readonly offset: number;
  readonly data: Buffer;
  readonly format: MessageFormat;
  readonly id?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly info?: ClientInfo | undefined;
  /** Unix time in ms. */
  readonly createdAt: number;
}

export interface HistoryQuery {
  /** Those after this place, or before it if `reverse`. An empty epoch is not compared. Absent: from the oldest, or the newest. */
  readonly since?: StreamPosition;
  /** How many; -1: all, 0: the position only. */
  readonly limit: number;
  /** Newest first. */
  readonly reverse?: boolean;
  /** As in {@link HistoryOptions}: reading is a use. */
  readonly metaTtlMs: number;
}

/** Publications with the top position of the channel at the same moment. */
export interface HistoryPage extends StreamPosition {
  readonly publications: readonly HistoryEntry[];
}

/**
 * The last publications of the channels that keep them, and the one place where a publication gets its offset.
 *
 * Promised by every adapter:
 * - `publish` checks its terms, gives the publication the next offset of its channel, keeps it and hands it to the fan-out in
 *   one step, and resolves when the store has taken it. So the publications of a channel reach every process in the order
 *   of their offsets, and what a subscription in force does not bring is found by a `read` that begins after it.
 * - It answers the position of the publication. For one that is not sent: the position that was answered to the first one with
 *   the key, or the top position in case of a version. `undefined` where there is no history.
 * - Offsets of a channel count from 1 without a gap within an epoch: eight letters, made when the channel is first published to
 *   or read. Both outlive the publications, by `metaTtlMs` after the last use.
 * - A store that lost publications which it had accepted begins another epoch as soon as that is known.
 * - `read` throws `UnrecoverablePositionError` for a place of another epoch; one that is no longer kept is no error.
 * - `remove` forgets the publications of a channel; offset and epoch stay.
 * - Where the store is away a call rejects with `BrokerUnavailableError` in less than two seconds. A `publish` that rejects may
 *   have taken effect: repeating it with the same idempotency key is safe.
 *
 * Not promised: that publications are kept for as long as asked. Memory is bounded; a reader sees from the offsets what is missing.
 */
export abstract class History {
  abstract publish(publication: Publication, terms: PublishConditions): Promise<StreamPosition | undefined>;
  abstract read(channel: string, query: HistoryQuery): Promise<HistoryPage>;
  abstract remove(channel: string): Promise<void>;
  abstract close(): Promise<void>;
}
