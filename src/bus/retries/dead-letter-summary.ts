import { eventName } from '../consumers/event-record.js';
import type { RetryRecord } from './retry-record.js';

/** What a list shows of a dead letter: everything except the body and the headers. */
export interface DeadLetterSummary extends Omit<RetryRecord, 'value' | 'headers' | 'orderingKey'> {
  /** Name of the event. For a record of another program: its topic. */
  readonly event: string;
}

/** A page ends when its dead letters have about so many bytes. */
export const DEAD_LETTER_PAGE_BYTES = 1024 * 1024;

export function deadLetterSummary(record: RetryRecord): DeadLetterSummary {
  const { value: _value, headers: _headers, orderingKey: _orderingKey, ...rest } = record;
  return { ...rest, state: 'dead', event: eventName(record) };
}

/** Returns the summary as it is stored. */
export function serializeSummary(record: RetryRecord): string {
  return JSON.stringify(deadLetterSummary(record));
}

export function parseSummary(text: string): DeadLetterSummary {
  return JSON.parse(text) as DeadLetterSummary;
}
