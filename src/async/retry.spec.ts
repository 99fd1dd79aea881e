import { describe, expect, it } from '@jest/globals';
import { retryUntilDone } from './retry.js';

describe('retryUntilDone', () => {
  it('repeats the work until it succeeds, and reports each failure', async () => {
    const failures: string[] = [];
    let calls = 0;
    const result = await retryUntilDone(
      () => (++calls < 3 ? Promise.reject(new Error(`attempt ${calls}`)) : Promise.resolve('done')),
      {
        pauseMs: () => 0,
        onFailure: (error, attempt) => failures.push(`${attempt}: ${String(error)}`),
        signal: new AbortController().signal,
      },
    );
    expect(result).toBe('done');
    expect(failures).toEqual(['1: Error: attempt 1', '2: Error: attempt 2']);
  });

  it('stops at once when it is aborted during a pause', async () => {
    const stop = new AbortController();
    const result = retryUntilDone(() => Promise.reject(new Error('down')), {
      pauseMs: () => 3_600_000,
      onFailure: () => setImmediate(() => stop.abort()),
      signal: stop.signal,
    });
    expect(await result).toBeUndefined();
  });
});
