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
  it('names the group after module and consumer, and fills in what is not said', () => {
    expect(complete({ events: ['a'] })).toMatchObject({
      group: 'task-daily',
      driver: 'memory',
      topics: ['live'],
      events: new Set(['a']),
      settings: { batchSize: 50, maxAttempts: 5, ordering: 'none' },
    });
    expect(complete({}).events).toBeUndefined();
  });

  it('lets the configuration win over the code, and the narrower over the wider', () => {
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
    [{ consumer: '' }, /cannot name/],
    [{ module: 'a/b' }, /cannot name/],
    [{ topics: [] }, /names no topic/],
    [{ batchSize: 0 }, /batchSize/],
    [
      { maxAttempts: 1.5, handlerTimeoutMs: -1 },
      /maxAttempts.*handlerTimeoutMs|handlerTimeoutMs.*maxAttempts/,
    ],
    [{ colour: 'red' }, /colour/],
    [{ batchSize: 10, maxWaiting: 9 }, /maxWaiting/],
  ])('refuses %j', (description, reason) => {
    expect(() => complete(description)).toThrow(reason);
  });
});
