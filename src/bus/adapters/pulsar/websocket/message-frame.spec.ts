import { describe, expect, it } from '@jest/globals';
import { assert, constant, dictionary, integer, oneof, option, property, record, string } from 'fast-check';
import { failureToDecode, headerNames, headerValues } from '../../../../../test/support/decoding.js';
import { recordOf } from '../record.js';
import { messageOf } from './message-frame.js';

const position = { position: '1:2:3:-1', partition: 3 };

describe('a frame of the WebSocket API', () => {
  it('may lack a payload, properties and a time', () => {
    const empty = {
      ...position,
      payload: Buffer.alloc(0),
      properties: {},
      publishedAt: 0,
      redeliveryCount: 0,
    };
    expect(messageOf({ messageId: 'id' }, position)).toEqual(empty);
    expect(messageOf({ messageId: 'id', payload: null, properties: null, key: null }, position)).toEqual(
      empty,
    );
    expect(messageOf({ messageId: 'id', properties: { a: null } }, position).properties).toEqual({ a: '' });
  });

  it('never stops a consumer, whatever its fields are', () => {
    const frame = record(
      {
        messageId: string(),
        payload: option(string()),
        properties: option(dictionary(headerNames, option(headerValues))),
        publishTime: oneof(constant('2026-11-30T18:00:00Z'), string()),
        redeliveryCount: integer({ min: 0 }),
        key: option(string()),
      },
      { requiredKeys: ['messageId'] },
    );
    assert(
      property(frame, (given) => {
        expect(failureToDecode(recordOf('t', messageOf(given, position)), 'pulsar')).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
