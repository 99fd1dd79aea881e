import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { BusDriver } from '../bus.options.js';
import { frame, unframe, type ReceivedRecord } from '../../message/index.js';

/** Why a handler did not manage, in words that may be shown and stored: no secrets, no stack. */
export interface Failure {
  /** Stable: the code of the error where it has one, else `handler_failed`. */
  readonly code: string;
  readonly message: string;
}

/**
 * A record that a consumer group could not handle and that was put aside, so that its partition can go on.
 *
 * It is `waiting` to be tried again (or for its turn in its line), and `dead` once its group gave it up.
 */
export interface RetryRecord {
  /** UUIDv7 made of the record's place: parking the same record once more changes nothing. By it they are listed: oldest first. */
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
  /** Unix time in ms before which it is not tried. Of one that is behind others in its line: when it was parked. */
  readonly dueAt: number;
  /** How often the handler failed with it. 0 for one that only stands behind another. */
  readonly attempts: number;
  /** Its group will not try it again: it becomes a dead letter when it is its turn. */
  readonly givenUp: boolean;
  readonly failure?: Failure;
  /** Unix times in ms. */
  readonly firstFailedAt?: number;
  readonly lastFailedAt?: number;
}

/** The id of the record at this place, for this group. The time is part of it, as a memory bus counts from zero in every process. */
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
