import { describe, expect, it } from '@jest/globals';
import {
  array,
  assert,
  constant,
  dictionary,
  oneof,
  option,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { toMessage, UndeliverableRecordError } from '../../../message/index.js';
import { toReceivedEvent } from '../../consumers/event-record.js';
import { toReceivedRecord } from './received-record.js';

const place = { topic: 't', partition: 3 };
const messageOf = (more: object): KafkaMessage =>
  ({
    key: null,
    value: Buffer.from('1'),
    offset: '7',
    timestamp: '5',
    attributes: 0,
    ...more,
  }) as KafkaMessage;

describe('toReceivedRecord', () => {
  it('accepts a header without a value, a record without a body and one without a time', () => {
    const headers = { empty: null, several: [Buffer.from('a'), null], text: Buffer.from('b') };
    expect(toReceivedRecord(place, messageOf({ headers, value: null, timestamp: '-1' }), 2)).toEqual({
      topic: 't',
      partition: 3,
      position: '7',
      headers: { empty: '', several: '', text: 'b' },
      value: Buffer.alloc(0),
      publishedAt: 0,
      attempt: 2,
    });
  });

  it('never throws, and what it returns is decoded or refused as undeliverable', () => {
    const bytes = uint8Array({ maxLength: 20 }).map((content) => Buffer.from(content));
    const value = option(bytes);
    const name = oneof(
      string(),
      constant('carillon-version'),
      constant('carillon-channel'),
      constant('carillon-tags'),
      constant('carillon-format'),
      constant('carillon-created-at'),
      constant('carillon-event'),
      constant('__proto__'),
    );
    const text = oneof(value, constant(Buffer.from('1')), constant(Buffer.from('{}')));
    const message = record({
      key: value,
      value,
      headers: option(dictionary(name, oneof(text, array(text)))),
      timestamp: oneof(constant('-1'), constant('9223372036854775807'), constant('0'), constant('x')),
    });
    assert(
      property(message, (given) => {
        const received = toReceivedRecord(
          place,
          messageOf({ ...given, headers: given.headers ?? undefined }),
          1,
        );
        for (const decode of [
          () => toMessage(received, { from: 'key' }),
          () => toMessage(received),
          () => toReceivedEvent(received, 'kafka'),
        ])
          try {
            decode();
          } catch (error) {
            expect(error).toBeInstanceOf(UndeliverableRecordError);
          }
      }),
      { numRuns: 2_000 },
    );
  });
});
