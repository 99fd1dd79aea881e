import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SqliteIdempotency } from '../../../src/bus/adapters/sqlite/sqlite.idempotency.js';
import { AdapterUnusableError } from '../../../src/bus/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeIdempotency } from './idempotency.contract.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-idempotency-'));
});
afterAll(() => rm(directory, { recursive: true }));

const freshPath = () => join(directory, `${randomUUID()}.db`);

function open(path: string, now: () => number = Date.now): Promise<SqliteIdempotency> {
  return SqliteIdempotency.open(
    { path, synchronous: 'normal', now },
    new BrokerStatus('sqlite (idempotency)'),
  );
}

function withOwnClock() {
  let elapsed = 0;
  const elapse = async (ms: number) => void (elapsed += ms);
  return { now: () => 1_000_000 + elapsed, elapse };
}

describeIdempotency('SqliteIdempotency in a file', async () => {
  const { now, elapse } = withOwnClock();
  const path = freshPath();
  return { idempotency: await open(path, now), reopen: () => open(path, now), elapse };
});

describeIdempotency('SqliteIdempotency in memory', async () => {
  const { now, elapse } = withOwnClock();
  return { idempotency: await open(':memory:', now), elapse };
});

describe('SqliteIdempotency', () => {
  it('refuses a file that another store has open', async () => {
    const path = freshPath();
    const owner = await open(path);
    await expect(open(path)).rejects.toBeInstanceOf(AdapterUnusableError);
    await owner.close();
  });

  it('forgets the keys that expire first when there are too many', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const path = freshPath();
    const options = { path, synchronous: 'normal', maxKeys: 3 } as const;
    const idempotency = await SqliteIdempotency.open(options, new BrokerStatus('sqlite'));
    for (const [at, key] of ['e', 'd', 'c', 'b', 'a'].entries())
      await idempotency.reserve(key, 'plan', 600_000 - at * 1_000);
    await jest.advanceTimersByTimeAsync(12_000);
    jest.useRealTimers();
    for (let turn = 0; turn < 5; turn++) await idempotency.release('unknown');
    await idempotency.close();
    const file = new DatabaseSync(path);
    const kept = file.prepare('SELECT key FROM plan ORDER BY key').all();
    expect(kept).toEqual([{ key: 'c' }, { key: 'd' }, { key: 'e' }]);
    file.close();
  });

  it('removes expired plans from its file', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const path = freshPath();
    const idempotency = await open(path);
    const keys = Array.from({ length: 2_500 }, () => randomUUID());
    await Promise.all(keys.map((key) => idempotency.reserve(key, 'plan', 1_000)));
    await idempotency.reserve('kept', 'plan', 600_000);
    await jest.advanceTimersByTimeAsync(12_000);
    jest.useRealTimers();
    // Waits for the sweep, which takes a few turns.
    for (let turn = 0; turn < 5; turn++) await idempotency.release('unknown');
    await idempotency.close();
    const file = new DatabaseSync(path);
    expect(file.prepare('SELECT key FROM plan').all()).toEqual([{ key: 'kept' }]);
    file.close();
  });
});
