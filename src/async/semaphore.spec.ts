import { describe, expect, it } from '@jest/globals';
import { Semaphore, SemaphoreClosedError } from './semaphore.js';

describe('Semaphore', () => {
  const acquireAll = (semaphore: Semaphore, names: string) => {
    const acquired: string[] = [];
    const all = Array.from(names, (name) =>
      semaphore.acquire().then((granted) => (acquired.push(granted ? name : `not ${name}`), granted)),
    );
    return { acquired, all: Promise.all(all) };
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('grants as many slots as it has, and the next ones in the order of the requests', async () => {
    const semaphore = new Semaphore(2);
    const { acquired, all } = acquireAll(semaphore, 'abcd');
    await turn();
    expect(acquired).toEqual(['a', 'b']);
    semaphore.release();
    await turn();
    expect(acquired).toEqual(['a', 'b', 'c']);
    semaphore.release();
    await all;
    expect(acquired).toEqual(['a', 'b', 'c', 'd']);
  });

  it('grants no slot until the last reason to pause is withdrawn', async () => {
    const semaphore = new Semaphore(2);
    semaphore.pause('paused');
    semaphore.pause('rebalance');
    const { acquired, all } = acquireAll(semaphore, 'a');
    semaphore.resume('paused');
    await turn();
    expect(acquired).toEqual([]);
    semaphore.resume('rebalance');
    await all;
    expect(acquired).toEqual(['a']);
  });

  it('reports when it is idle, and grants nothing after its close', async () => {
    const semaphore = new Semaphore(1);
    const { acquired, all } = acquireAll(semaphore, 'ab');
    await turn();
    let isIdle = false;
    const idle = semaphore.idle().then(() => (isIdle = true));
    semaphore.close();
    await all;
    expect(acquired.toSorted()).toEqual(['a', 'not b']);
    expect(await semaphore.acquire()).toBe(false);
    expect(isIdle).toBe(false);
    semaphore.release();
    await idle;
    expect(semaphore.isIdle).toBe(true);
  });

  it('gives the slot back after work that succeeds and after work that fails', async () => {
    const semaphore = new Semaphore(1);
    await expect(semaphore.run(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    await expect(semaphore.run(() => Promise.resolve(1))).resolves.toBe(1);
    expect(semaphore.isIdle).toBe(true);
    semaphore.close();
    await expect(semaphore.run(() => Promise.resolve(1))).rejects.toThrow(SemaphoreClosedError);
  });
});
