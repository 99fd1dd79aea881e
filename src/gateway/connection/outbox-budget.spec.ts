import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CloseReason } from './close-codes.js';
import { OutboxBudget, type Backlogged } from './outbox-budget.js';

const MAX = 1_000;

class Client implements Backlogged {
  hasLeft = false;
  isGone = false;
  #counted = 0;

  constructor(public bytes: number) {
    this.countOutbox();
  }

  countOutbox(): number {
    budget.add(this.bytes - this.#counted);
    this.#counted = this.bytes;
    return this.bytes;
  }

  closeFor(reason: CloseReason): void {
    this.hasLeft = reason === 'slow';
  }

  terminate(): void {
    this.isGone = true;
    this.bytes = 0;
    this.countOutbox();
  }
}

let clients: Client[];
let bufferBytes: number;
let closed: number[];
let budget: OutboxBudget;

beforeEach(() => {
  jest.useFakeTimers();
  clients = [];
  closed = [];
  bufferBytes = Infinity;
  budget = new OutboxBudget({
    maxBytes: MAX,
    clients: () => clients.filter(({ isGone }) => !isGone),
    onExceeded: (_, count) => closed.push(count),
    bufferBytes: () => bufferBytes,
  });
});

afterEach(() => {
  budget.close();
  jest.useRealTimers();
});

describe('OutboxBudget', () => {
  it('closes nobody while there is room', () => {
    clients = [new Client(600), new Client(400)];
    jest.runAllTimers();
    expect(budget.relieved()).toBeUndefined();
    expect(closed).toEqual([]);
  });

  it('closes those for which the most waits, and cuts those that do not take the close', async () => {
    clients = [new Client(100), new Client(500), new Client(450), new Client(20)];
    jest.advanceTimersByTime(600);
    expect(clients.map(({ hasLeft }) => hasLeft)).toEqual([false, true, false, false]);
    const relieved = budget.relieved();
    expect(relieved).toBeDefined();
    jest.advanceTimersByTime(500);
    expect(clients.map(({ isGone }) => isGone)).toEqual([false, true, false, false]);
    jest.advanceTimersByTime(500);
    await relieved;
    expect(budget.relieved()).toBeUndefined();
    expect(closed).toEqual([1, 0]);
  });

  it('closes nobody if the bytes are shared, so that less memory is held', () => {
    bufferBytes = 100;
    clients = [new Client(900), new Client(900)];
    jest.advanceTimersByTime(2_000);
    expect(budget.relieved()).toBeUndefined();
    expect(closed).toEqual([]);
    // It goes on looking.
    bufferBytes = 5_000;
    jest.advanceTimersByTime(2_000);
    expect(closed[0]).toBeGreaterThan(0);
  });

  it('notices at a check what clients have read since they were counted', () => {
    clients = [new Client(900), new Client(900)];
    clients[0]!.bytes = 0;
    jest.advanceTimersByTime(600);
    expect(closed).toEqual([]);
    expect(budget.bytes).toBe(900);
  });
});
