import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { isJson } from '../json/index.js';
import { ForeignRecordError, UndeliverableRecordError } from './message.errors.js';
import type { Message } from './message.js';
import type { ReceivedRecord } from './record.js';
import { readTraceparent } from './traceparent.js';

/** Where the channel of a record without Carillon headers comes from. */
export const foreignRecordRule = z.discriminatedUnion('from', [
  z.strictObject({
    from: z
      .literal('fixed')
      .describe(
        'Where the channel of a record without Carillon headers comes from. `fixed`: always `channel`. `header`: the header ' +
          'whose name is `header`. `key`: the key of the record.',
      ),
    channel: z.string().min(1).describe('With `fixed`: the channel.'),
  }),
  z.strictObject({
    from: z.literal('header'),
    header: z.string().min(1).describe('With `header`: the name of the header.'),
  }),
  z.strictObject({ from: z.literal('key') }),
]);

export type ForeignRecordRule = z.infer<typeof foreignRecordRule>;

/**
 * Returns the message of a record without Carillon headers, which another program has written.
 * @throws {UndeliverableRecordError} it has no channel or no body
 */
export function foreignMessage(record: ReceivedRecord, rule: ForeignRecordRule | undefined): Message {
  const channel = foreignChannel(record, rule);
  if (record.value.length === 0) throw new UndeliverableRecordError('it has no body');
  const traceparent = readTraceparent(record.headers.traceparent);
  return {
    id: derivedId(record),
    channel,
    data: record.value,
    format: isJson(record.value) ? 'json' : 'binary',
    createdAt: record.publishedAt,
    ...(record.key === undefined ? {} : { key: record.key }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

function foreignChannel(record: ReceivedRecord, rule: ForeignRecordRule | undefined): string {
  switch (rule?.from) {
    case undefined:
      throw new ForeignRecordError('it has no Carillon headers, and no rule determines its channel');
    case 'fixed':
      return rule.channel;
    case 'header':
      return record.headers[rule.header] || absent(`header ${rule.header}, which contains its channel,`);
    case 'key':
      return record.key || absent('its key, which contains its channel,');
    default:
      return rule satisfies never;
  }
}

function absent(what: string): never {
  throw new UndeliverableRecordError(`it has no Carillon headers, and ${what} is absent or empty`);
}

/**
 * Derives an id from the position and the time of a record only, so that a redelivered record gets the same id again. It is a UUIDv7
 * with the time at which the record was published.
 */
export function derivedId({ topic, partition, position, publishedAt }: ReceivedRecord): string {
  const random = createHash('sha256').update(`${topic}\0${partition}\0${position}`).digest();
  return uuidv7({ msecs: Math.max(0, publishedAt), random: random.subarray(0, 16) });
}
