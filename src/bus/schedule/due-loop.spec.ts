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

/** Everything in it is due. What happens to a claim is written down, and may fail. */
class WrittenDown implements DueStore {
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
    throw new Error('the store is away');
  }

  #write(entry: string): void {
    this.log.push(entry);
    this.#onLog();
  }
}

describe('DueLoop', () => {
  it('asks again while the store is away', async () => {
    const store = new WrittenDown('a');
    store.failures = 3;
    const loop = new DueLoop(store, async () => {}, options);
    await store.logged('settled a');
    expect(store.log).toEqual([...Array(3).fill('failed: claim'), 'settled a']);
    await loop.close();
  });

  it('insists on settling what was handed over, and hands it over once', async () => {
    const store = new WrittenDown('a');
    let handed = 0;
    const loop = new DueLoop(
      store,
      async () => {
        handed += 1;
        store.failures = 3;
      },
      options,
    );
    await store.logged('settled a');
    expect(handed).toBe(1);
    expect(store.log.filter((entry) => entry === 'failed: settle a')).not.toEqual([]);
    await loop.close();
  });

  it('gives up what it cannot settle while closing, so that another may have it', async () => {
    const store = new WrittenDown('a');
    const loop = new DueLoop(store, async () => void (store.failures = Infinity), options);
    await store.logged('failed: settle a');
    await loop.close();
    expect(store.log.at(-1)).toBe('abandoned a');
  });

  it('gives back what it was handed while closing', async () => {
    const store = new WrittenDown();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<DueBatch>();
    store.claim = () => {
      asked.resolve();
      return answer.promise;
    };
    const loop = new DueLoop(store, () => Promise.reject(new Error('must not be called')), options);
    await asked.promise;
    const closing = loop.close();
    answer.resolve({ items: [itemOf('a')] });
    await closing;
    expect(store.log).toEqual(['released a']);
  });

  it('closes in bounded time when a handler never ends', async () => {
    const begun = Promise.withResolvers<void>();
    const loop = new DueLoop(
      new WrittenDown('a'),
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
