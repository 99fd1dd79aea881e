import { describe, expect, it } from '@jest/globals';
import { settlesWithin, withDeadline } from './deadline.js';

const never = new Promise<never>(() => {});

describe('settlesWithin', () => {
  it('is true for work that is done in time, and false for work that is late', async () => {
    expect(await settlesWithin(10_000, Promise.resolve('result'))).toBe(true);
    expect(await settlesWithin(1, never)).toBe(false);
  });

  it('rejects as the work does', async () => {
    await expect(settlesWithin(10_000, Promise.reject(new Error('boom')))).rejects.toThrow('boom');
  });

  it('ignores a rejection that comes too late', async () => {
    const work = Promise.withResolvers<void>();
    expect(await settlesWithin(1, work.promise)).toBe(false);
    work.reject(new Error('too late'));
  });
});

describe('withDeadline', () => {
  const late = () => new Error('late');

  it('settles as work that is in time', async () => {
    await expect(withDeadline(10_000, late, () => Promise.resolve(1))).resolves.toBe(1);
    await expect(withDeadline(10_000, late, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
  });

  it('rejects when the time is over, and aborts the signal of the work', async () => {
    let signal: AbortSignal | undefined;
    const work = withDeadline(1, late, (given) => {
      signal = given;
      return never;
    });
    await expect(work).rejects.toThrow('late');
    expect(signal?.reason).toEqual(new Error('late'));
  });
});
