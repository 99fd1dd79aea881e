import type { RetryRecord } from './retry-record.js';
import type { OutgoingRecord } from '../../message/index.js';

/** The headers that a dead letter has on its topic, besides its original ones. `docs/message-format.md` describes them. */
const header = {
  id: 'carillon-dead-id',
  group: 'carillon-dead-group',
  code: 'carillon-dead-code',
  reason: 'carillon-dead-reason',
  attempts: 'carillon-dead-attempts',
  firstFailedAt: 'carillon-dead-first-failed-at',
  lastFailedAt: 'carillon-dead-last-failed-at',
  topic: 'carillon-dead-topic',
  partition: 'carillon-dead-partition',
  position: 'carillon-dead-position',
} as const;

export function deadLetterTopicOf({ topic, group }: Pick<RetryRecord, 'topic' | 'group'>): string {
  return `${topic}.${group}.dlq`;
}

export function toDeadLetterRecord(record: RetryRecord): OutgoingRecord {
  const { id, group, topic, partition, position, key, value, headers, attempts, failure } = record;
  return {
    ...(key === undefined ? {} : { key }),
    headers: {
      ...headers,
      [header.id]: id,
      [header.group]: group,
      [header.code]: failure?.code ?? '',
      [header.reason]: failure?.message ?? '',
      [header.attempts]: String(attempts),
      [header.firstFailedAt]: String(record.firstFailedAt ?? ''),
      [header.lastFailedAt]: String(record.lastFailedAt ?? ''),
      [header.topic]: topic,
      [header.partition]: String(partition),
      [header.position]: position,
    },
    value,
  };
}
