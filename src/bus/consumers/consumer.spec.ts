import { describe, expect, it } from '@jest/globals';
import { busOptions } from '../bus.options.js';
import { type ConsumerHandler, consumerOf } from './consumer.js';

const handler: ConsumerHandler = { takes: 'one', handle: () => {} };
const kafka = { brokers: ['a:1'] };

function complete(description: object, options: object = {}) {
  const described = { module: 'task', consumer: 'daily', topics: ['live'], ...description };
  return consumerOf(described, handler, busOptions.parse({ drivers: { kafka }, ...options }));
}

describe('consumerOf', () => {
  it('names the group after module and consumer, and adds the defaults', () => {
    expect(complete({ events: ['a'] })).toMatchObject({
      group: 'task-daily',
      driver: 'memory',
      topics: ['live'],
      events: new Set(['a']),
      settings: { batchSize: 50, maxAttempts: 5, ordering: 'none' },
    });
    expect(complete({}).events).toBeUndefined();
  });

  it('prefers the configuration to the code, and the section of a consumer to that of its module', () => {
    const modules = { task: { batchSize: 3, consumers: { daily: { batchSize: 4, driver: 'kafka' } } } };
    const consumers = { batchSize: 1, takeEveryMs: 9 };
    const sizeOf = (description: object, options: object) =>
      complete(description, options).settings.batchSize;
    expect(sizeOf({}, { consumers })).toBe(1);
    expect(sizeOf({ batchSize: 2 }, { consumers })).toBe(2);
    expect(sizeOf({ batchSize: 2 }, { consumers, modules })).toBe(4);
    expect(sizeOf({ batchSize: 2, consumer: 'other' }, { consumers, modules })).toBe(3);
    expect(complete({ driver: 'memory' }, { consumers, modules })).toMatchObject({
      driver: 'kafka',
      settings: { takeEveryMs: 9 },
    });
  });

  it.each([
    [{ consumer: '' }, /not a valid name/],
    [{ module: 'a/b' }, /not a valid name/],
    [{ topics: [] }, /has no topics/],
    [{ batchSize: 0 }, /batchSize/],
    [
      { maxAttempts: 1.5, handlerTimeoutMs: -1 },
      /maxAttempts.*handlerTimeoutMs|handlerTimeoutMs.*maxAttempts/,
    ],
    [{ colour: 'red' }, /colour/],
    [{ batchSize: 10, maxWaiting: 9 }, /maxWaiting/],
  ])('refuses the description %j', (description, reason) => {
    expect(() => complete(description)).toThrow(reason);
  });
});
