import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerStatus } from '../metrics/index.js';
import { BrokerUnavailableError } from '../errors.js';
import { GroupCommit } from './group-commit.js';

describe('GroupCommit', () => {
  let database: DatabaseSync;
  let status: BrokerStatus;
  let becameUp: PromiseWithResolvers<void>;
  let commits: GroupCommit;

  beforeEach(() => {
    database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT');
    becameUp = Promise.withResolvers();
    status = new BrokerStatus('sqlite', ({ state }) => state === 'up' && becameUp.resolve());
    commits = new GroupCommit(database, status, () => new RangeError('closed'));
  });
  afterEach(() => commits.close());

  const insert = (n: number) => () => {
    database.prepare('INSERT INTO t VALUES (?)').run(n);
    return n;
  };
  const stored = () => database.prepare('SELECT n FROM t ORDER BY n').all().map(Object.values).flat();

  it('commits the writes of one turn together, in order', async () => {
    const seen: boolean[] = [];
    const writes = [1, 2, 3].map((n) =>
      commits.write(() => {
        seen.push(database.isTransaction);
        return insert(n)();
      }),
    );
    expect(seen).toEqual([]);
    expect(await writes[0]).toBe(1);
    // One transaction: the last write is stored by the time the first one resolves.
    expect(stored()).toEqual([1, 2, 3]);
    expect(await Promise.all(writes)).toEqual([1, 2, 3]);
    expect(seen).toEqual([true, true, true]);
  });

  it('rolls a transaction back if a write fails, and continues with the next one', async () => {
    const outcomes = await Promise.allSettled([1, 2, 2].map((n) => commits.write(insert(n))));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(BrokerUnavailableError) });
    }
    expect(stored()).toEqual([]);
    await commits.write(insert(4));
    expect(stored()).toEqual([4]);
  });

  it('is down after a failed write, and is up again by itself when it can write', async () => {
    const pages = (count: number) => database.exec(`PRAGMA max_page_count = ${count}`);
    pages(1);
    const large = () =>
      database.exec('CREATE TABLE large (bytes BLOB); INSERT INTO large VALUES (zeroblob(100000))');
    await expect(commits.write(large)).rejects.toBeInstanceOf(BrokerUnavailableError);
    expect(status.state).toBe('down');
    // A transaction that changes nothing succeeds even if the disk is full.
    await commits.write(() => database.exec('DELETE FROM t'));
    expect(status.state).toBe('down');
    pages(1_000_000);
    await becameUp.promise;
  });

  it('reads what is stored, and throws if it cannot', () => {
    expect(commits.read(() => database.prepare('SELECT 1 AS one').get())).toEqual({ one: 1 });
    expect(() => commits.read(() => database.prepare('SELECT 1 FROM nowhere'))).toThrow(
      BrokerUnavailableError,
    );
    expect(status.state).toBe('down');
    const defect = () => commits.read(() => JSON.parse('{') as unknown);
    expect(defect).toThrow(SyntaxError);
  });

  it('completes pending writes before it closes, and refuses later ones', async () => {
    const writing = commits.write(insert(1));
    await Promise.all([commits.close(), commits.close()]);
    expect(await writing).toBe(1);
    expect(database.isOpen).toBe(false);
    await expect(commits.write(insert(2))).rejects.toBeInstanceOf(RangeError);
  });
});
