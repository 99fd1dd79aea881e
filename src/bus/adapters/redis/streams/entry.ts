import type { OutgoingRecord, ReceivedRecord } from '../../../../message/index.js';
import type { StreamPartition } from './stream-keys.js';

/** A stream entry as Redis returns it: its id, then the names and values of its fields in turn. */
export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]];

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const VALUE = Buffer.from('value');
const KEY = Buffer.from('key');
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

/** Reads a record from an entry. Fields with other names, which other programs added, become headers. */
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
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index]!;
    const content = fields[index + 1]!;
    if (VALUE.equals(name)) record.value = content;
    else if (KEY.equals(name)) record.key = content.toString();
    else {
      const headers = headersOf(name.toString(), content.toString());
      record.headers = record.headers === NO_HEADERS ? headers : { ...record.headers, ...headers };
    }
  }
  return record;
}

function headersOf(name: string, text: string): Record<string, string> {
  if (name !== 'headers') return { [name]: text };
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
