import { describe, expect, it } from '@jest/globals';
import { connectionChannel, newConnectionId, userChannel } from '../../delivery/index.js';
import type { CarillonError } from '../../errors.js';
import type { Query } from '../../http/parameters/parameters.js';
import { readPushParameters } from './push-parameters.js';

const options = { defaultDelayMs: 3000, maxDelayMs: 3_600_000 };
const read = (query: Query) => readPushParameters(query, options);

function codeOf(query: Query): string {
  try {
    read(query);
    return 'ok';
  } catch (error) {
    return (error as CarillonError).code;
  }
}

describe('readPushParameters', () => {
  it('requests two copies, three seconds apart, by default', () => {
    expect(read({})).toEqual({ instant: true, delayed: { afterMs: 3000 } });
    expect(read({ lanes: 'instant,delayed' })).toEqual(read({}));
    expect(read({ lanes: 'delayed,instant' })).toEqual(read({}));
    expect(read({ lanes: 'both' })).toEqual(read({}));
    expect(read({ lanes: 'instant' })).toEqual({ instant: true });
    expect(read({ lanes: 'delayed' })).toEqual({ instant: false, delayed: { afterMs: 3000 } });
  });

  it('reads times', () => {
    expect(read({ delay: '0' }).delayed).toEqual({ afterMs: 0 });
    expect(read({ delay: 'PT1M' }).delayed).toEqual({ afterMs: 60_000 });
    expect(read({ deliverAt: '2030-01-31T09:00:00Z' }).delayed).toEqual({ at: Date.UTC(2030, 0, 31, 9) });
    expect(read({ expiresIn: 'PT1M' }).expiresInMs).toBe(60_000);
  });

  it('reads targets', () => {
    const connection = newConnectionId();
    expect(read({ channel: 'news' }).channel).toBe('news');
    expect(read({ user: '~42' }).channel).toBe(userChannel('~42'));
    expect(read({ connection }).channel).toBe(connectionChannel(connection));
  });

  it.each<[string, Query]>([
    ['unknown_parameter', { laness: 'instant' }],
    ['unknown_parameter', { Lanes: 'instant' }],
    ['unknown_parameter', JSON.parse('{"__proto__":"x"}') as Query],
    ['unknown_parameter', { constructor: 'x' }],
    ['repeated_parameter', { delay: ['1', '2'] }],
    ['invalid_lanes', { lanes: '' }],
    ['invalid_lanes', { lanes: 'fast' }],
    ['invalid_lanes', { lanes: 'instant,instant' }],
    ['invalid_delay', { delay: '' }],
    ['invalid_delay', { delay: 'soon' }],
    ['delay_negative', { delay: '-1' }],
    ['delay_negative', { delay: '-PT1S' }],
    ['delay_too_long', { delay: '3600001' }],
    ['delay_too_long', { delay: '9'.repeat(400) }],
    ['invalid_deliver_at', { deliverAt: 'tomorrow' }],
    ['invalid_expires_in', { expiresIn: '0' }],
    ['invalid_expires_in', { expiresIn: '-1' }],
    ['invalid_expires_in', { expiresIn: 'never' }],
    ['invalid_expires_in', { expiresIn: '3600001' }],
    ['conflicting_parameters', { delay: '1', deliverAt: '2030-01-31T09:00:00Z' }],
    ['conflicting_parameters', { lanes: 'instant', delay: '1' }],
    ['conflicting_parameters', { channel: 'a', user: 'b' }],
    ['invalid_target', { channel: '' }],
    ['invalid_target', { channel: '~user:42' }],
    ['invalid_target', { channel: 'a\nb' }],
    ['invalid_target', { channel: 'a\uFFFD' }],
    ['invalid_target', { user: 'x'.repeat(256) }],
    ['invalid_target', { connection: 'not-an-id' }],
  ])('refuses with %s: %j', (code, query) => {
    expect(codeOf(query)).toBe(code);
  });
});
