import { describe, expect, it } from '@jest/globals';
import { array, assert, constant, dictionary, oneof, option, property, record, uint8Array } from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { failureToDecode, headerNames, headerValues } from '../../../../test/support/decoding.js';
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
    const text = oneof(
      value,
      headerValues.map((content) => Buffer.from(content)),
    );
    const message = record({
      key: value,
      value,
      headers: option(dictionary(headerNames, oneof(text, array(text)))),
      timestamp: oneof(constant('-1'), constant('9223372036854775807'), constant('0'), constant('x')),
    });
    assert(
      property(message, (given) => {
        const received = toReceivedRecord(
          place,
          messageOf({ ...given, headers: given.headers ?? undefined }),
          1,
        );
        expect(failureToDecode(received, 'kafka')).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
