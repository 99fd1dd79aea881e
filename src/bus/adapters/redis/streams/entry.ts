import type { OutgoingRecord, ReceivedRecord } from '../../../../message/index.js';
import { foreignEntry } from './foreign-entry.js';
import type { StreamPartition } from './stream-keys.js';

/** A stream entry as Redis returns it: its id, then the names and values of its fields in turn. */
export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]];

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const VALUE = Buffer.from('value');
const KEY = Buffer.from('key');
const HEADERS = Buffer.from('headers');
const EMPTY = Buffer.alloc(0);
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Returns the fields of a record: `value`, and `key` and `headers` (a JSON object of strings) if it has them. */
export function fieldsOf({ key, headers, value }: OutgoingRecord): (string | Buffer)[] {
  const fields: (string | Buffer)[] = [];
  if (key !== undefined) fields.push('key', key);
  if (headers !== undefined) fields.push('headers', JSON.stringify(headers));
  fields.push('value', value);
  return fields;
}

/**
 * Reads a record from an entry. Other programs may have written it: with a field `value`, the other fields are headers; without
 * one, they are the body ({@link foreignEntry}).
 */
export function recordOf(
  [id, fields]: StreamEntry,
  { topic, number }: StreamPartition,
  attempt: number,
): ReceivedRecord {
  const position = id.toString('latin1');
  const record: Mutable<ReceivedRecord> = {
    topic,
    partition: number,
    position,
    headers: NO_HEADERS,
    value: EMPTY,
    publishedAt: Number.parseInt(position, 10),
    attempt,
  };
  let hasValue = false;
  let others: [string, string][] | undefined;
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index]!;
    const content = fields[index + 1]!;
    if (VALUE.equals(name)) {
      record.value = content;
      hasValue = true;
    } else if (KEY.equals(name)) record.key = content.toString();
    else if (HEADERS.equals(name)) addHeaders(record, headersOf(content.toString()));
    else (others ??= []).push([name.toString(), content.toString()]);
  }
  if (others !== undefined && hasValue) addHeaders(record, Object.fromEntries(others));
  else if (others !== undefined) {
    const { headers, value } = foreignEntry(others);
    addHeaders(record, headers);
    record.value = value;
  }
  return record;
}

function addHeaders(record: Mutable<ReceivedRecord>, headers: Readonly<Record<string, string>>): void {
  record.headers = record.headers === NO_HEADERS ? headers : { ...record.headers, ...headers };
}

function headersOf(text: string): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return { headers: text };
    const headers = parsed as Record<string, unknown>;
    for (const header in headers)
      if (typeof headers[header] !== 'string') headers[header] = String(headers[header]);
    return headers as Record<string, string>;
  } catch {
    // Another program has a field of this name.
    return { headers: text };
  }
}
