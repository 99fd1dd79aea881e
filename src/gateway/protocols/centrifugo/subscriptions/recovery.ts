import {
  UnrecoverablePositionError,
  type ChannelHistoryQuery,
  type HistoryEntry,
  type HistoryPage,
  type StreamPosition,
} from '../../../../delivery/index.js';
import type { TagsFilter } from './tags-filter.js';

/** Reads the history of the channel in question. */
export type ReadHistory = (query: ChannelHistoryQuery) => Promise<HistoryPage>;

export interface Recovery {
  /** Nothing is missing between the client's position and `position`. Of a cache: the client has the newest publication. */
  readonly recovered: boolean;
  /** What the client is to get, oldest first; none where it is not recovered. */
  readonly publications: readonly HistoryEntry[];
  /** Where the channel stood. */
  readonly position: StreamPosition;
}

/** All that came after the client's position, unless some of it is gone or it is more than `limit`. */
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
 * The newest publication that the client wants, unless it stands where the channel does. Where nothing that it wants is among
 * the last `limit`, nobody knows whether it has the newest.
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
