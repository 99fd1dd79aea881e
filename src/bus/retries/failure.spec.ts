import { describe, expect, it } from '@jest/globals';
import { HandlerTimedOutError } from '../consumers/consumer.errors.js';
import { failureOf } from './failure.js';

describe('failureOf', () => {
  it.each([
    [new HandlerTimedOutError(50), 'handler_timed_out'],
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [Object.assign(new Error('x'), { code: 'not a code\n' }), 'handler_failed'],
    [Object.assign(new Error('x'), { code: 23505 }), 'handler_failed'],
    [new TypeError('x'), 'handler_failed'],
    [null, 'handler_failed'],
  ])('%s has code %s %s', (error, code) => {
    expect(failureOf(error).code).toBe(code);
  });

  it.each([
    ['connect postgres://ada:s3cret@db:5432/x failed', 'connect postgres://…@db:5432/x failed'],
    ['401 for Authorization: Bearer eyJhbGciOi.J9.x-y', '401 for Authorization: Bearer …'],
    ['GET /pay?token=abc&id=7', 'GET /pay?token=…&id=7'],
    ['{"password":"hunter2","user":"ada"}', '{"password":"…","user":"ada"}'],
    ['api_key: 123 and client_secret=456', 'api_key: … and client_secret=…'],
    ['no anchor 7', 'no anchor 7'],
  ])('removes secrets from %s', (message, shown) => {
    expect(failureOf(new Error(message)).message).toBe(shown);
  });

  it.each([
    [{ status: 'error', message: 'no anchor 7' }, 'no anchor 7'],
    [{ statusCode: 400, message: ['a', 'b'] }, "{ statusCode: 400, message: [ 'a', 'b' ] }"],
    [{ reason: { token: 'abc' } }, "{ reason: { token: '…' } }"],
    [Object.create(null), '[Object: null prototype] {}'],
    [new AggregateError([]), 'AggregateError'],
    ['gone', 'gone'],
    [undefined, 'undefined'],
  ])('describes the thrown value %j as %s', (thrown: unknown, shown) => {
    expect(failureOf(thrown).message).toBe(shown);
  });

  it('truncates a long message', () => {
    expect(failureOf(new Error('x'.repeat(10_000))).message).toHaveLength(500);
  });
});
