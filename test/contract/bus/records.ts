import type { OutgoingRecord, ReceivedRecord } from '../../../src/message/index.js';

export function text(body: string): OutgoingRecord {
  return { value: Buffer.from(body) };
}

export function numbered(key: string, count: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) => ({ key, value: Buffer.from(String(index)) }));
}

export function bodyOf(record: ReceivedRecord): string {
  return record.value.toString();
}

/** Returns a text that identifies the record on its broker. */
export function positionOf({ topic, partition, position }: ReceivedRecord): string {
  return `${topic}/${partition}/${position}`;
}

/** Returns the records without redeliveries. */
export function firstDeliveries(records: readonly ReceivedRecord[]): ReceivedRecord[] {
  return [
    ...new Map(records.toReversed().map((record) => [positionOf(record), record])).values(),
  ].toReversed();
}
