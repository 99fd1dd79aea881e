import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { patchRequestQueue } from './request-queue.js';

interface Queue {
  maybeThrottle(ms: number): void;
  push(request: object): void;
  checkPendingRequests(): void;
}

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => Queue;

// https://github.com/tulios/kafkajs/issues/1751
describe("kafkajs's queue of requests", () => {
  let queue: Queue;
  beforeEach(() => {
    jest.useFakeTimers();
    patchRequestQueue();
    const logger = { debug() {} };
    queue = new RequestQueue({ logger, maxInFlightRequests: 1, requestTimeout: 1_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('sets no timer while no request is pending', () => {
    queue.checkPendingRequests();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends a pending request when the throttling ends', () => {
    const sent: unknown[] = [];
    queue.maybeThrottle(500);
    queue.push({ entry: { correlationId: 1 }, expectResponse: true, sendRequest: () => sent.push('it') });
    jest.advanceTimersByTime(499);
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(2);
    expect(sent).toEqual(['it']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
