import {
  UnrecoverablePositionError,
  type ChannelHistoryQuery,
  type HistoryEntry,
  type HistoryPage,
  type StreamPosition,
} from '../../delivery/index.js';

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

/** The newest publication, unless the client's position is just that. */
export async function recoverCache(read: ReadHistory, since: StreamPosition): Promise<Recovery> {
  const page = await read({ limit: 1, reverse: true });
  const [newest] = page.publications;
  if (newest === undefined) return { recovered: false, publications: [], position: page };
  const hasIt = since.epoch === page.epoch && since.offset === newest.offset;
  return { recovered: true, publications: hasIt ? [] : [newest], position: page };
}

function isWhole({ publications, offset: top }: HistoryPage, since: number): boolean {
  const first = publications[0];
  if (first === undefined) return top === since;
  return first.offset === since + 1 && publications.at(-1)!.offset === top;
}
