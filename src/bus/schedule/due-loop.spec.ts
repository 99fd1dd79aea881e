import { describe, expect, it } from '@jest/globals';
import { timeTaken } from '../../../test/support/time-taken.js';
import { type DueBatch, type DueItem, DueLoop, type DueStore } from './due-loop.js';

const options = {
  concurrency: 2,
  pollIntervalMs: 5,
  retryInitialMs: 1,
  retryMaxMs: 4,
  closeTimeoutMs: 1_000,
};

function itemOf(id: string): DueItem {
  const message = {
    id,
    channel: 'c',
    data: Buffer.from('1'),
    format: 'json',
    createdAt: 0,
    dueAt: 0,
  } as const;
  return { message, attempt: 1 };
}

/** A store whose items are all due. It logs every call, and calls may fail. */
class LoggingStore implements DueStore {
  readonly log: string[] = [];
  readonly waiting: DueItem[];
  failures = 0;
  #onLog = () => {};

  constructor(...ids: string[]) {
    this.waiting = ids.map(itemOf);
  }

  async claim(limit: number): Promise<DueBatch> {
    this.#fail('claim');
    return { items: this.waiting.splice(0, limit) };
  }

  async settle({ message }: DueItem): Promise<void> {
    this.#fail(`settle ${message.id}`);
    this.#write(`settled ${message.id}`);
  }

  async release({ message }: DueItem): Promise<void> {
    this.#fail(`release ${message.id}`);
    this.#write(`released ${message.id}`);
  }

  abandon({ message }: DueItem): void {
    this.#write(`abandoned ${message.id}`);
  }

  async logged(entry: string): Promise<void> {
    while (!this.log.includes(entry)) await new Promise<void>((resolve) => (this.#onLog = resolve));
  }

  #fail(what: string): void {
    if (this.failures === 0) return;
    this.failures -= 1;
    this.#write(`failed: ${what}`);
    throw new Error('the store is unavailable');
  }

  #write(entry: string): void {
    this.log.push(entry);
    this.#onLog();
  }
}

describe('DueLoop', () => {
  it('claims again after the store was unavailable', async () => {
    const store = new LoggingStore('a');
    store.failures = 3;
    const loop = new DueLoop(store, async () => {}, options);
    await store.logged('settled a');
    expect(store.log).toEqual([...Array(3).fill('failed: claim'), 'settled a']);
    await loop.close();
  });

  it('retries the settling of a delivered message, and delivers it once', async () => {
    const store = new LoggingStore('a');
    let deliveries = 0;
    const loop = new DueLoop(
      store,
      async () => {
        deliveries += 1;
        store.failures = 3;
      },
      options,
    );
    await store.logged('settled a');
    expect(deliveries).toBe(1);
    expect(store.log.filter((entry) => entry === 'failed: settle a')).not.toEqual([]);
    await loop.close();
  });

  it('abandons a message that it cannot settle while closing', async () => {
    const store = new LoggingStore('a');
    const loop = new DueLoop(store, async () => void (store.failures = Infinity), options);
    await store.logged('failed: settle a');
    await loop.close();
    expect(store.log.at(-1)).toBe('abandoned a');
  });

  it('releases a message that it claimed while closing', async () => {
    const store = new LoggingStore();
    const claiming = Promise.withResolvers<void>();
    const batch = Promise.withResolvers<DueBatch>();
    store.claim = () => {
      claiming.resolve();
      return batch.promise;
    };
    const loop = new DueLoop(store, () => Promise.reject(new Error('must not be called')), options);
    await claiming.promise;
    const closing = loop.close();
    batch.resolve({ items: [itemOf('a')] });
    await closing;
    expect(store.log).toEqual(['released a']);
  });

  it('closes in bounded time although a handler never ends', async () => {
    const begun = Promise.withResolvers<void>();
    const loop = new DueLoop(
      new LoggingStore('a'),
      () => {
        begun.resolve();
        return Promise.withResolvers<void>().promise;
      },
      { ...options, closeTimeoutMs: 10 },
    );
    await begun.promise;
    expect(await timeTaken(() => loop.close())).toBeLessThan(500);
  });
});
