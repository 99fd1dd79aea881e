import { z } from 'zod';
import { isJson } from '../json/index.js';
import { derivedId, foreignMessage, type ForeignRecordRule } from './foreign-record.js';
import { UndeliverableRecordError } from './message.errors.js';
import type { Message, MessageExtension, MessageFormat } from './message.js';
import type { OutgoingRecord, ReceivedRecord } from './record.js';
import { readTraceparent } from './traceparent.js';

/**
 * The headers of the wire format of a message, version 1. `docs/message-format.md` describes the format for other programs: change
 * both together, and increase the version if a reader of the old format would misunderstand the new one.
 */
export const messageHeaders = {
  version: 'carillon-version',
  id: 'carillon-id',
  channel: 'carillon-channel',
  format: 'carillon-format',
  name: 'carillon-name',
  tags: 'carillon-tags',
  createdAt: 'carillon-created-at',
  dueAt: 'carillon-due-at',
  expiresAt: 'carillon-expires-at',
  traceparent: 'traceparent',
} as const;

/**
 * The header with the reason why an adapter could not decode a record. The body is what the broker delivered. The reason is a header,
 * so that a dead letter keeps it.
 */
export const undecodableHeader = 'carillon-undecodable';

const PREFIX = 'carillon-';
const ownHeaders: ReadonlySet<string> = new Set(Object.values(messageHeaders));

const VERSION = '1';

/** Returns the record for a message: the data is the body, byte for byte, and everything else is in headers. */
export function toRecord(message: Message): OutgoingRecord {
  const headers: Record<string, string> = {
    ...message.extension,
    [messageHeaders.version]: VERSION,
    [messageHeaders.id]: message.id,
    [messageHeaders.channel]: message.channel,
    [messageHeaders.format]: message.format,
    [messageHeaders.createdAt]: String(message.createdAt),
  };
  if (message.name !== undefined) headers[messageHeaders.name] = message.name;
  if (message.tags !== undefined) headers[messageHeaders.tags] = JSON.stringify(message.tags);
  if (message.dueAt !== undefined) headers[messageHeaders.dueAt] = String(message.dueAt);
  if (message.expiresAt !== undefined) headers[messageHeaders.expiresAt] = String(message.expiresAt);
  if (message.traceparent !== undefined) headers[messageHeaders.traceparent] = message.traceparent;
  return { key: message.key ?? message.channel, headers, value: message.data };
}

/**
 * Returns the message of a record. If a record has no Carillon headers, its body is the data, and `rule` determines its channel.
 *
 * @throws {UndeliverableRecordError} the record is invalid; reading it again cannot help
 */
export function toMessage(record: ReceivedRecord, rule?: ForeignRecordRule): Message {
  refuseUndecodable(record);
  const version = record.headers[messageHeaders.version];
  if (version === undefined) return foreignMessage(record, rule);
  if (version !== VERSION) throw undeliverable(messageHeaders.version, version, `is not ${VERSION}`);
  const channel = record.headers[messageHeaders.channel];
  if (!channel) throw new UndeliverableRecordError(`header ${messageHeaders.channel} is absent or empty`);
  const dueAt = time(record, messageHeaders.dueAt);
  const expiresAt = time(record, messageHeaders.expiresAt);
  const name = record.headers[messageHeaders.name];
  const tags = tagsOf(record);
  const extension = extensionOf(record);
  const traceparent = readTraceparent(record.headers[messageHeaders.traceparent]);
  return {
    id: record.headers[messageHeaders.id] || derivedId(record),
    channel,
    data: record.value,
    format: declaredFormat(record),
    createdAt: time(record, messageHeaders.createdAt) ?? record.publishedAt,
    ...(name === undefined ? {} : { name }),
    ...(tags === undefined ? {} : { tags }),
    ...(record.key === undefined || record.key === channel ? {} : { key: record.key }),
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(extension === undefined ? {} : { extension }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** @throws {UndeliverableRecordError} the adapter could not decode the record */
export function refuseUndecodable({ headers }: Pick<ReceivedRecord, 'headers'>): void {
  const reason = headers[undecodableHeader];
  if (reason !== undefined) throw new UndeliverableRecordError(reason);
}

/** Checks data that is declared as JSON, because invalid JSON would break the frames of every subscriber. */
function declaredFormat(record: ReceivedRecord): MessageFormat {
  const format = record.headers[messageHeaders.format] ?? 'json';
  if (format === 'binary') return format;
  if (format !== 'json') throw undeliverable(messageHeaders.format, format, 'is neither json nor binary');
  if (!isJson(record.value)) throw new UndeliverableRecordError('its body is not JSON in UTF-8');
  return format;
}

function time(record: ReceivedRecord, header: string): number | undefined {
  const text = record.headers[header];
  if (text === undefined) return undefined;
  const milliseconds = Number(text);
  // The last time that a Date can represent.
  if (!/^\d{1,16}$/.test(text) || milliseconds > 8.64e15) {
    throw undeliverable(header, text, 'is not a Unix time in milliseconds');
  }
  return milliseconds;
}

function tagsOf(record: ReceivedRecord): Record<string, string> | undefined {
  const text = record.headers[messageHeaders.tags];
  if (text === undefined) return undefined;
  const tags = parsedTags(text);
  if (tags === undefined) throw undeliverable(messageHeaders.tags, text, 'is not a JSON object of strings');
  return tags;
}

/** Returns the headers that other modules have added. */
function extensionOf({ headers }: ReceivedRecord): MessageExtension | undefined {
  let extension: Record<string, string> | undefined;
  for (const name of Object.keys(headers)) {
    if (name.startsWith(PREFIX) && !ownHeaders.has(name)) (extension ??= {})[name] = headers[name]!;
  }
  return extension;
}

function parsedTags(text: string): Record<string, string> | undefined {
  try {
    return z.record(z.string(), z.string()).safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function undeliverable(header: string, value: string, why: string): UndeliverableRecordError {
  const shown = value.length > 64 ? `${value.slice(0, 64)}…` : value;
  return new UndeliverableRecordError(`header ${header} (${JSON.stringify(shown)}) ${why}`);
}
