import type { MessageFormat } from '../../message/index.js';
import { bytesOfInfo, type ClientInfo } from '../presence/client-info.js';
import type { Publication, StreamPosition } from '../publications/publication.js';

/** How many publications the history of a channel stores, and for how long. */
export interface HistoryOptions {
  /** Number of the latest publications. */
  readonly size: number;
  /** How long they are stored after the latest one, in ms. */
  readonly ttlMs: number;
  /** How long offset and epoch are stored after the last use, in ms. */
  readonly metaTtlMs: number;
}

/** The conditions under which a publication is sent, and how it is stored. */
export interface PublishConditions {
  /** Absent: it is sent without being stored. */
  readonly history?: HistoryOptions;
  /** Not sent if a publication with the same key was sent in the channel within `ttlMs`. */
  readonly idempotency?: { readonly key: string; readonly ttlMs: number };
  /**
   * Not sent unless `number` is above the latest version in the history. Sent if `epoch` is not empty and differs from
   * that of the latest version. Needs `history`.
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
  /**
   * Returns publications after this position, or before it if `reverse` is set. An empty epoch is not compared. Absent:
   * starts with the oldest publication, or the newest.
   */
  readonly since?: StreamPosition;
  /** Maximum number of publications. -1: all, 0: the position only. */
  readonly limit: number;
  /**
   * Largest size of the publications together (data, tags and information about the publisher), in bytes. The page ends before the
   * first one that does not fit, so it may have fewer than `limit`. It has at least one, however large. Absent: unlimited.
   */
  readonly maxBytes?: number;
  /** Newest first. */
  readonly reverse?: boolean;
  /** As in {@link HistoryOptions}: a read is a use. */
  readonly metaTtlMs: number;
}

/** Publications, and the latest position of the channel at the same moment. */
export interface HistoryPage extends StreamPosition {
  readonly publications: readonly HistoryEntry[];
}

/**
 * The latest publications of the channels that store them, and the only place where publications get offsets.
 *
 * Promised by every adapter:
 * - `publish` checks the conditions, gives the publication the next offset of its channel, stores it and passes it to
 *   the fan-out in one step, and resolves when the store has accepted it. So the publications of a channel reach every
 *   process in the order of their offsets, and a `read` that starts after it finds what an active subscription does not
 *   receive.
 * - It returns the position of the publication. For one that is not sent, it returns the position of the first
 *   publication with the same key, or the latest position if the version is not above. `undefined` without a history.
 * - The offsets of a channel count from 1 without a gap within an epoch: eight letters, created when the channel is
 *   first published to or read. Both outlive the publications, by `metaTtlMs` after the last use.
 * - A store that lost accepted publications starts another epoch as soon as the loss is noticed.
 * - `read` throws `UnrecoverablePositionError` for a position of another epoch. A position that is not stored any more
 *   is no error.
 * - `remove` removes the publications of a channel. Offset and epoch stay.
 * - While the store is unavailable a call rejects with `BrokerUnavailableError` in less than two seconds. A `publish`
 *   that rejects may have taken effect: repeating it with the same idempotency key is safe.
 *
 * Not promised: that publications are stored as long as requested. Memory is bounded. A reader can tell from the
 * offsets what is missing.
 */
export abstract class History {
  abstract publish(
    publication: Publication,
    conditions: PublishConditions,
  ): Promise<StreamPosition | undefined>;
  abstract read(channel: string, query: HistoryQuery): Promise<HistoryPage>;
  abstract remove(channel: string): Promise<void>;
  abstract close(): Promise<void>;
}

/** Approximate bytes of an entry in a reply beside its data. */
const ENTRY_BYTES = 60;

/** Returns the size of a publication, as {@link HistoryQuery.maxBytes} limits it. */
export function bytesOfEntry({ data, tags, info }: Pick<HistoryEntry, 'data' | 'tags' | 'info'>): number {
  let bytes = ENTRY_BYTES + data.length;
  if (tags !== undefined) for (const name in tags) bytes += name.length + (tags[name]?.length ?? 0);
  return info === undefined ? bytes : bytes + bytesOfInfo(info);
}
