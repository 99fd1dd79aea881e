import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { BusDriver } from '../bus.options.js';
import { frame, unframe, type ReceivedRecord } from '../../message/index.js';

/** Why a handler failed. It may be shown and stored: it has no secrets and no stack trace. */
export interface Failure {
  /** The stable code of the error, or `handler_failed` if it has none. */
  readonly code: string;
  readonly message: string;
}

/**
 * A record that a consumer group failed to handle. It is stored outside its topic, so that its partition is not blocked.
 *
 * It is `waiting` for its retry or for the records before it with the same ordering key, and `dead` when its group gave it up.
 */
export interface RetryRecord {
  /** UUIDv7 derived from the record's place, so adding the same record twice has no effect. Its order is the time of publishing. */
  readonly id: string;
  readonly group: string;
  readonly driver: BusDriver;
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
  readonly publishedAt: number;
  /** Records with the same ordering key are retried one at a time, in the order in which they were added. Absent: no order. */
  readonly orderingKey?: string;
  readonly state: 'waiting' | 'dead';
  /** Unix time in ms before which it is not retried. For a record that is blocked by another one: when it was added. */
  readonly dueAt: number;
  /** The number of failed attempts. 0 for a record that is only blocked by another one. */
  readonly attempts: number;
  /** Its group will not retry it: it becomes a dead letter when it is its turn. */
  readonly givenUp: boolean;
  readonly failure?: Failure;
  /** Unix times in ms. */
  readonly firstFailedAt?: number;
  readonly lastFailedAt?: number;
}

/** Returns the id of a record for a group. The time is part of it because the positions of a memory bus start at zero in every process. */
export function retryRecordId(
  group: string,
  driver: BusDriver,
  { topic, partition, position, publishedAt }: ReceivedRecord,
): string {
  const place = [group, driver, topic, partition, position, publishedAt].join('\0');
  const random = createHash('sha256').update(place).digest().subarray(0, 16);
  return uuidv7({ msecs: Math.max(0, publishedAt), random });
}

/** The header as it is stored. It was stored before `orderingKey` got this name. */
type StoredHeader = Omit<RetryRecord, 'value' | 'orderingKey'> & { readonly line?: string };

export function retryRecordToBytes({ value, orderingKey, ...header }: RetryRecord): Buffer {
  const stored: StoredHeader = orderingKey === undefined ? header : { ...header, line: orderingKey };
  return frame(stored, value);
}

export function retryRecordFromBytes(bytes: Uint8Array): RetryRecord {
  const { header, body } = unframe(bytes);
  const { line, ...rest } = header as StoredHeader;
  return { ...rest, ...(line === undefined ? {} : { orderingKey: line }), value: body };
}
