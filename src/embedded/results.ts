import type { ClientInfo, HistoryEntry } from '../delivery/index.js';
import type { Member, PublishedEntry } from './carillon.types.js';

// Turns results of operations into values of the application.

export function memberOf({ client, user, connInfo, chanInfo }: ClientInfo): Member {
  return {
    client,
    user,
    ...(connInfo !== undefined ? { connectionInfo: parse(connInfo) } : {}),
    ...(chanInfo !== undefined ? { subscriptionInfo: parse(chanInfo) } : {}),
  };
}

export function entryOf({ offset, data, format, tags, info, createdAt }: HistoryEntry): PublishedEntry {
  return {
    offset,
    data: format === 'json' ? parse(data) : data,
    ...(tags !== undefined ? { tags } : {}),
    ...(info !== undefined ? { publisher: memberOf(info) } : {}),
    publishedAt: new Date(createdAt),
  };
}

/** What is stored as JSON was checked when it arrived. An empty text is what a client of a binary protocol may have sent. */
function parse(text: Buffer): unknown {
  return text.length === 0 ? undefined : JSON.parse(text.toString());
}
