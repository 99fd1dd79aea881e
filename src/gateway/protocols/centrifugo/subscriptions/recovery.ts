import {
  UnrecoverablePositionError,
  type ChannelHistoryQuery,
  type HistoryEntry,
  type HistoryPage,
  type StreamPosition,
} from '../../../../delivery/index.js';
import type { TagsFilter } from './tags-filter.js';

/** Reads the history of the channel. */
export type ReadHistory = (query: ChannelHistoryQuery) => Promise<HistoryPage>;

export interface Recovery {
  /** Whether the client has all publications up to `position`. In cache mode: whether it has the latest one. */
  readonly recovered: boolean;
  /** The publications that the client missed, oldest first. Empty if it is not recovered. */
  readonly publications: readonly HistoryEntry[];
  /** The position of the channel. */
  readonly position: StreamPosition;
}

/** Returns all publications after the client's position. Not recovered if some are no longer kept, or if there are more than `limit`. */
export async function recoverStream(
  read: ReadHistory,
  since: StreamPosition,
  limit: number,
): Promise<Recovery> {
  try {
    const page = await read({ since, limit });
    return isWhole(page, since.offset)
      ? { recovered: true, publications: page.publications, position: page }
      : { recovered: false, publications: [], position: page };
  } catch (error) {
    if (!(error instanceof UnrecoverablePositionError)) throw error;
    return { recovered: false, publications: [], position: await read({ limit: 0 }) };
  }
}

/**
 * Returns the latest publication that passes the client's filter, unless the client is at the position of the channel. Not recovered
 * if none of the last `limit` publications passes: an older one might, and the client might not have it.
 */
export async function recoverCache(
  read: ReadHistory,
  since: StreamPosition,
  filter: TagsFilter | undefined,
  limit: number,
): Promise<Recovery> {
  const page = await read({ limit: filter === undefined ? 1 : limit, reverse: true });
  const isThere = since.offset > 0 && since.offset === page.offset && since.epoch === page.epoch;
  const newest = page.publications.find(({ tags }) => filter?.(tags ?? {}) ?? true);
  return isThere || newest === undefined
    ? { recovered: isThere, publications: [], position: page }
    : { recovered: true, publications: [newest], position: page };
}

function isWhole({ publications, offset: top }: HistoryPage, since: number): boolean {
  const first = publications[0];
  if (first === undefined) return top === since;
  return first.offset === since + 1 && publications.at(-1)!.offset === top;
}
