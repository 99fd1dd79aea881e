import { describe, expect, it } from '@jest/globals';
import { KeyedQueue } from './keyed-queue.js';

describe('KeyedQueue', () => {
  it('runs work of one key in order, one at a time, and other keys at the same time', async () => {
    const queue = new KeyedQueue();
    const log: string[] = [];
    const first = Promise.withResolvers<void>();
    const work = (name: string, until?: Promise<void>) => async () => {
      log.push(`${name} starts`);
      await until;
      log.push(`${name} ends`);
      return name;
    };
    const results = [
      queue.run('k', work('a', first.promise)),
      queue.run('k', work('b')),
      queue.run('other', work('c', first.promise)),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['a starts', 'c starts']);
    first.resolve();
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c']);
    expect(log.indexOf('b starts')).toBeGreaterThan(log.indexOf('a ends'));
  });

  it('continues after work that fails, and rejects for its caller only', async () => {
    const queue = new KeyedQueue();
    const failed = queue.run('k', () => Promise.reject(new Error('boom')));
    const next = queue.run('k', () => Promise.resolve('next'));
    await queue.idle();
    await expect(failed).rejects.toThrow('boom');
    expect(await next).toBe('next');
  });
});
