import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { RecordRefusedError } from '../bus.errors.js';
import {
  refuseUndecodable,
  UndeliverableRecordError,
  type OutgoingRecord,
  type ReceivedRecord,
} from '../../message/index.js';
import type { BusDriver } from '../bus.options.js';
import type { ReceivedEvent } from './received-event.js';

/** An event to emit. */
export interface OutgoingEvent {
  readonly event: string;
  /** A JSON value, or bytes, which are sent unchanged. */
  readonly payload: unknown;
  /** What bytes are: any bytes (the default), or one JSON text, of which consumers receive the value. */
  readonly bytesAre?: 'binary' | 'json';
  /** Events with one key keep their order. */
  readonly key?: string;
  /** Text headers. Names that begin with `carillon-` are reserved. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A record of a topic, as received or as stored for retry. */
type StoredRecord = Omit<ReceivedRecord, 'attempt'>;

/**
 * The wire format of an event, version 1. Headers with default values are left out, because a header costs as much as a small
 * payload. `docs/message-format.md` describes the format for other programs: change both together, and change the version if a
 * reader of the previous version would misunderstand the record.
 */
export const eventHeader = {
  version: 'carillon-version',
  id: 'carillon-id',
  event: 'carillon-event',
  format: 'carillon-format',
  createdAt: 'carillon-created-at',
} as const;
const VERSION = '1';
const RESERVED = 'carillon-';

/** @throws {RecordRefusedError} the event has no name, its payload is not a JSON value, or it has a reserved header */
export function toEventRecord(
  { event, payload, bytesAre, key, headers = {} }: OutgoingEvent,
  id: string,
): OutgoingRecord {
  if (event === '') throw new RecordRefusedError('an event needs a name');
  const reserved = Object.keys(headers).find((name) => name.toLowerCase().startsWith(RESERVED));
  if (reserved !== undefined)
    throw new RecordRefusedError(
      `header ${reserved} is reserved: names that begin with ${RESERVED} belong to Carillon`,
    );
  const isBinary = payload instanceof Uint8Array;
  return {
    ...(key === undefined ? {} : { key }),
    headers: {
      ...headers,
      [eventHeader.event]: event,
      [eventHeader.id]: id,
      ...(isBinary && bytesAre !== 'json' ? { [eventHeader.format]: 'binary' } : {}),
    },
    value: isBinary ? Buffer.from(payload) : jsonBytes(payload),
  };
}

/**
 * Decodes the event of a record. For a record of another program, the event has the name of the topic and the body as payload.
 *
 * @param attempt the number of the handler's attempt. The broker's count is not used: it also grows when another record of the
 *   same batch fails.
 * @throws {UndeliverableRecordError} the record cannot be decoded, now or later
 */
export function toReceivedEvent(record: StoredRecord, driver: BusDriver, attempt = 1): ReceivedEvent {
  const { topic, partition, position, key, headers, publishedAt } = record;
  refuseUndecodable(record);
  const version = headers[eventHeader.version];
  if (version !== undefined && version !== VERSION)
    throw new UndeliverableRecordError(`header ${eventHeader.version} is not ${VERSION}`);
  const createdAt = Number(headers[eventHeader.createdAt]);
  const event: ReceivedEvent = {
    id: headers[eventHeader.id] || derivedId(record),
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

/** Returns the name of the event. It is known even if the payload cannot be decoded. */
export function eventName({ headers, topic }: Pick<StoredRecord, 'headers' | 'topic'>): string {
  return headers[eventHeader.event] || topic;
}

/** Returns the headers without the reserved ones. */
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
    throw new RecordRefusedError('the payload is not a JSON value', { cause });
  }
  if (text === undefined) throw new RecordRefusedError('the payload is not a JSON value');
  return Buffer.from(text);
}

function payloadOf({ headers, value }: StoredRecord): unknown {
  if (headers[eventHeader.format] === 'binary') return value;
  try {
    if (isUtf8(value)) return JSON.parse(value.toString());
  } catch {
    // Reported below, like invalid UTF-8.
  }
  // A record of another program need not be JSON.
  if (headers[eventHeader.event] === undefined && headers[eventHeader.version] === undefined) return value;
  throw new UndeliverableRecordError('its body is not JSON in UTF-8');
}

/** Returns an id that depends only on the record's place and time, so that it is the same at every delivery. */
function derivedId({ topic, partition, position, publishedAt }: StoredRecord): string {
  const random = createHash('sha256').update(`${topic}\0${partition}\0${position}`).digest();
  return uuidv7({ msecs: Math.max(0, publishedAt), random: random.subarray(0, 16) });
}
