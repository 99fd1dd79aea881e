import { constant, oneof, string, type Arbitrary } from 'fast-check';
import type { BusDriver } from '../../src/bus/index.js';
import { toReceivedEvent } from '../../src/bus/consumers/event-record.js';
import { toMessage, UndeliverableRecordError, type ReceivedRecord } from '../../src/message/index.js';

/** Names of headers: Carillon's own ones, and arbitrary ones. */
export const headerNames: Arbitrary<string> = oneof(
  string(),
  ...['version', 'channel', 'tags', 'format', 'created-at', 'due-at', 'event', 'undecodable'].map((name) =>
    constant(`carillon-${name}`),
  ),
  constant('__proto__'),
  constant('constructor'),
  constant('traceparent'),
  constant('room'),
);

/** Values of headers: some that are valid for some header, and arbitrary ones. */
export const headerValues: Arbitrary<string> = oneof(
  string(),
  ...['1', 'a', 'json', 'binary', '{}', '{"a":1}', '[]', '99999999999999999'].map((value) => constant(value)),
);

/**
 * Passes the record to every decoder. Returns the first error that is not a permanent refusal, because the record would then be
 * retried forever. Returns undefined if there is none.
 */
export function failureToDecode(record: ReceivedRecord, driver: BusDriver): unknown {
  for (const decode of [
    () => toMessage(record, { from: 'key' }),
    () => toMessage(record, { from: 'header', header: 'room' }),
    () => toMessage(record, { from: 'fixed', channel: 'c' }),
    () => toMessage(record),
    () => toReceivedEvent(record, driver),
  ])
    try {
      decode();
    } catch (error) {
      if (!(error instanceof UndeliverableRecordError)) return error;
    }
  return undefined;
}
