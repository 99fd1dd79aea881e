import { describe, expect, it } from '@jest/globals';
import { userChannel } from '../../delivery/index.js';
import type { CarillonError } from '../../errors.js';
import { writeCursor } from '../../http/parameters/page-parameters.js';
import { readReschedule, readScheduleQuery } from './schedule-parameters.js';

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    return (error as CarillonError).code;
  }
}

describe('readScheduleQuery', () => {
  it('reads the page and the target', () => {
    expect(readScheduleQuery({})).toEqual({ limit: 100 });
    expect(readScheduleQuery({ limit: '5', cursor: writeCursor('schedules', '5.x?&'), user: '42' })).toEqual({
      limit: 5,
      cursor: '5.x?&',
      channel: userChannel('42'),
    });
  });

  it.each([
    ['invalid_limit', { limit: '0' }],
    ['invalid_limit', { limit: '1001' }],
    ['invalid_limit', { limit: '1.5' }],
    ['invalid_limit', { limit: '' }],
    ['invalid_cursor', { cursor: '' }],
    ['invalid_cursor', { cursor: 'abc' }],
    ['invalid_cursor', { cursor: writeCursor('schedules', 'x'.repeat(512)) }],
    ['unknown_parameter', { page: '2' }],
  ])('refuses with %s: %j', (code, query) => {
    expect(codeOf(() => readScheduleQuery(query))).toBe(code);
  });
});

describe('readReschedule', () => {
  it('reads a delay or a time', () => {
    expect(readReschedule({ delay: 5000 }, 10_000)).toEqual({ afterMs: 5000 });
    expect(readReschedule({ delay: 'PT5S' }, 10_000)).toEqual({ afterMs: 5000 });
    expect(readReschedule({ deliverAt: '2030-01-31T09:00:00Z' }, 10_000)).toEqual({
      at: Date.UTC(2030, 0, 31, 9),
    });
  });

  it.each<[string, unknown]>([
    ['conflicting_parameters', {}],
    ['conflicting_parameters', { delay: 1, deliverAt: '2030-01-31T09:00:00Z' }],
    ['unknown_field', { delay: 1, lanes: 'instant' }],
    ['unknown_field', JSON.parse('{"delay":1,"__proto__":{}}')],
    ['invalid_body', []],
    ['invalid_body', null],
    ['invalid_body', 'PT5S'],
    ['invalid_delay', { delay: null }],
    ['invalid_delay', { delay: 1.5 }],
    ['invalid_delay', { delay: 1e21 }],
    ['delay_negative', { delay: -1 }],
    ['delay_too_long', { delay: 10_001 }],
    ['invalid_deliver_at', { deliverAt: 1893456000 }],
    ['invalid_deliver_at', { deliverAt: 'later' }],
  ])('refuses with %s: %j', (code, body) => {
    expect(codeOf(() => readReschedule(body, 10_000))).toBe(code);
  });
});
