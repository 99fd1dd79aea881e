import { eventHeader } from '../../../consumers/event-record.js';

/** The content of an entry without a field `value`, which another program has written. */
export interface ForeignEntry {
  /** Fields that describe the event. */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON object of all other fields. Empty if there are none. */
  readonly value: Buffer;
}

/** The fields with which the original PHP message bus describes an event. It writes the payload as further fields. */
const DESCRIPTION: ReadonlyMap<string, string> = new Map([
  ['event', eventHeader.event],
  ['message_id', eventHeader.id],
  ['_happened_at', eventHeader.createdAt],
  ['_app', '_app'],
  ['_host', '_host'],
]);

/**
 * Reads the fields of an entry without a field `value`: they are its body, as a JSON object of strings. If one of them is `event`,
 * the entry is an event in the layout of the original PHP message bus. `docs/stream-workers.md` describes this rule.
 */
export function foreignEntry(fields: readonly (readonly [name: string, text: string])[]): ForeignEntry {
  const isEvent = fields.some(([name]) => name === 'event');
  const headers: Record<string, string> = {};
  const body: (readonly [string, string])[] = [];
  for (const field of fields) {
    const [name, text] = field;
    const header = isEvent ? DESCRIPTION.get(name) : undefined;
    if (header === undefined) body.push(field);
    else headers[header] = header === eventHeader.createdAt ? milliseconds(text) : text;
  }
  const isEmpty = body.length === 0 && !isEvent;
  return { headers, value: Buffer.from(isEmpty ? '' : JSON.stringify(Object.fromEntries(body))) };
}

/** Returns the Unix time in ms of one in seconds, such as PHP's `microtime(true)`. */
function milliseconds(seconds: string): string {
  return String(Math.round(Number(seconds) * 1_000));
}
