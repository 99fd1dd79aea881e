import type { ScheduledMessage } from '../../message/index.js';
import type { ScheduledSummary, SchedulePage } from './schedule.port.js';

/** A page ends when its messages have about so many bytes. */
export const SCHEDULE_PAGE_BYTES = 1024 * 1024;

/** Approximate bytes of a summary beside its channel. */
const FIXED_BYTES = 200;

export function summaryOf({ id, channel, createdAt, dueAt, expiresAt }: ScheduledMessage): ScheduledSummary {
  return { id, channel, createdAt, dueAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** Takes summaries in order until the page is full. Reads at most one more than it returns. */
export function toPage(summaries: Iterable<ScheduledSummary>, limit: number): SchedulePage {
  const messages: ScheduledSummary[] = [];
  let bytes = 0;
  for (const summary of summaries) {
    const last = messages.at(-1);
    bytes += FIXED_BYTES + summary.channel.length;
    if (last !== undefined && (messages.length === limit || bytes > SCHEDULE_PAGE_BYTES))
      return { messages, next: `${last.dueAt}.${last.id}` };
    messages.push(summary);
  }
  return { messages };
}
