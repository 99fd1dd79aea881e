import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { RecordRefusedError } from '../bus.errors.js';
import { UndeliverableRecordError, type OutgoingRecord, type ReceivedRecord } from '../../message/index.js';
import type { BusDriver } from '../bus.options.js';
import type { ReceivedEvent } from './received-event.js';

/** What a producer puts on a topic. */
export interface OutgoingEvent {
  readonly event: string;
  /** A JSON value; or bytes, which travel as they are. */
  readonly payload: unknown;
  /** Events with one key keep their order. */
  readonly key?: string;
  /** Text that travels along. Names that begin with `carillon-` are ours. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A record that was on a topic, wherever it is now. */
type StoredRecord = Omit<ReceivedRecord, 'attempt'>;

/**
 * The wire form of an event, version 1. What goes without saying is not said: a header costs as much as a small payload.
 * `docs/message-format.md` describes it for other programs; a change here is a change
 * there, and of the version if a reader of the former one would be misled.
 */
const header = {
  version: 'carillon-version',
  id: 'carillon-id',
  event: 'carillon-event',
  format: 'carillon-format',
  createdAt: 'carillon-created-at',
} as const;
const VERSION = '1';
const RESERVED = 'carillon-';

/** @throws {RecordRefusedError} it has no name, its payload is no JSON value, or a header is ours */
export function toEventRecord(
  { event, payload, key, headers = {} }: OutgoingEvent,
  id: string,
): OutgoingRecord {
  if (event === '') throw new RecordRefusedError('an event needs a name');
  const reserved = Object.keys(headers).find((name) => name.toLowerCase().startsWith(RESERVED));
  if (reserved !== undefined) throw new RecordRefusedError(`header ${reserved} is one of Carillon's own`);
  const isBinary = payload instanceof Uint8Array;
  return {
    ...(key === undefined ? {} : { key }),
    headers: {
      ...headers,
      [header.event]: event,
      [header.id]: id,
      ...(isBinary ? { [header.format]: 'binary' } : {}),
    },
    value: isBinary ? Buffer.from(payload) : jsonBytes(payload),
  };
}

/**
 * The event that a record carries. Of a record of another program the name is that of its topic, and the payload its body.
 *
 * @param attempt of the handler. How often the broker brought the record says nothing of it: a neighbour in its batch may have
 *   been the cause.
 * @throws {UndeliverableRecordError} the record cannot be understood, now or later
 */
export function toReceivedEvent(record: StoredRecord, driver: BusDriver, attempt = 1): ReceivedEvent {
  const { topic, partition, position, key, headers, publishedAt } = record;
  const version = headers[header.version];
  if (version !== undefined && version !== VERSION)
    throw new UndeliverableRecordError(`header ${header.version} is not ${VERSION}`);
  const createdAt = Number(headers[header.createdAt]);
  const event: ReceivedEvent = {
    id: headers[header.id] || derivedId(record),
    event: eventName(record),
    payload: payloadOf(record),
    headers: ownHeaders(headers),
    createdAt: createdAt > 0 ? createdAt : publishedAt,
    driver,
    topic,
    partition,
    position,
    attempt,
  };
  return key === undefined ? event : { ...event, key };
}

/** Which event it is, which is known even where its payload cannot be understood. */
export function eventName({ headers, topic }: Pick<StoredRecord, 'headers' | 'topic'>): string {
  return headers[header.event] || topic;
}

/** Without those that are ours. */
function ownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const own: Record<string, string> = {};
  for (const name in headers) if (!name.startsWith(RESERVED)) own[name] = headers[name] ?? '';
  return own;
}

function jsonBytes(payload: unknown): Buffer {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (cause) {
    throw new RecordRefusedError('the payload is no JSON value', { cause });
  }
  if (text === undefined) throw new RecordRefusedError('the payload is no JSON value');
  return Buffer.from(text);
}

function payloadOf({ headers, value }: StoredRecord): unknown {
  if (headers[header.format] === 'binary') return value;
  try {
    if (isUtf8(value)) return JSON.parse(value.toString());
  } catch {
    // Said below, in the same words as for broken UTF-8.
  }
  // Another program's, which promised nothing.
  if (headers[header.event] === undefined && headers[header.version] === undefined) return value;
  throw new UndeliverableRecordError('its body is not JSON in UTF-8');
}

/** Depends on nothing but the record's place and time, so that it is the same at every delivery. */
function derivedId({ topic, partition, position, publishedAt }: StoredRecord): string {
  const random = createHash('sha256').update(`${topic}\0${partition}\0${position}`).digest();
  return uuidv7({ msecs: Math.max(0, publishedAt), random: random.subarray(0, 16) });
}
