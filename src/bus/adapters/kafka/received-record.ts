import type { KafkaMessage } from 'kafkajs';
import type { ReceivedRecord } from '../../../message/index.js';

/** Returns the record of a message of kafkajs. It accepts everything that Kafka accepts, and never throws. */
export function toReceivedRecord(
  { topic, partition }: Pick<ReceivedRecord, 'topic' | 'partition'>,
  { key, value, headers, offset, timestamp }: KafkaMessage,
  attempt: number,
): ReceivedRecord {
  const publishedAt = Number(timestamp);
  return {
    topic,
    partition,
    position: offset,
    ...(key === null ? {} : { key: key.toString() }),
    headers: textHeaders(headers),
    // A record without a body (a tombstone) has an empty one.
    value: value ?? Buffer.alloc(0),
    publishedAt: Number.isSafeInteger(publishedAt) && publishedAt > 0 ? publishedAt : 0,
    attempt,
  };
}

/** If a header occurs several times, the last one counts. A header without a value, which Kafka allows, is empty. */
function textHeaders(headers: KafkaMessage['headers']): Record<string, string> {
  const text: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    // The types of kafkajs do not have null, which it returns for a header without a value.
    const last: Buffer | string | null | undefined = Array.isArray(value) ? value.at(-1) : value;
    text[name] = last?.toString() ?? '';
  }
  return text;
}
