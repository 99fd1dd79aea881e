import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AdapterUnusableError } from '../../../src/bus/index.js';
import { newMessageId, type ScheduledMessage } from '../../../src/message/index.js';
import { HandOvers } from './hand-overs.js';
import { describeSchedule } from './schedule.contract.js';
import { untilAdded } from './scheduled-messages.js';
import { open } from './sqlite-schedule.open.js';

const traits = { storeHasClock: false, leaseMs: 0 };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-schedule-'));
});
afterAll(() => rm(directory, { recursive: true }));

const freshPath = () => join(directory, 'made', 'on demand', `${randomUUID()}.db`);

describeSchedule(
  'SqliteSchedule in a file',
  async (clock) => {
    const [path, elsewhere] = [freshPath(), freshPath()];
    return {
      schedule: await open({ path, ...clock }),
      reopen: () => open({ path }),
      otherProcess: {
        options: { module: './sqlite-schedule.open.ts', options: { path: elsewhere } },
        takeOver: () => open({ path: elsewhere }),
      },
    };
  },
  traits,
);

describeSchedule(
  'SqliteSchedule in a file, flushed to disk',
  async (clock) => {
    const [path, elsewhere] = [freshPath(), freshPath()];
    return {
      schedule: await open({ path, synchronous: 'full', ...clock }),
      reopen: () => open({ path, synchronous: 'full' }),
      otherProcess: {
        options: { module: './sqlite-schedule.open.ts', options: { path: elsewhere, synchronous: 'full' } },
        takeOver: () => open({ path: elsewhere, synchronous: 'full' }),
      },
    };
  },
  traits,
);

describeSchedule(
  'SqliteSchedule in memory',
  async (clock) => ({ schedule: await open({ path: ':memory:', ...clock }) }),
  traits,
);

describe('SqliteSchedule', () => {
  const message = (dueAt: number): ScheduledMessage => ({
    id: newMessageId(),
    channel: 'c',
    data: Buffer.from('1'),
    format: 'json',
    createdAt: Date.now(),
    dueAt,
  });

  it('refuses a file that another schedule has open, and says what to set', async () => {
    const path = freshPath();
    const owner = await open({ path });
    const second = open({ path });
    await expect(second).rejects.toBeInstanceOf(AdapterUnusableError);
    await expect(second).rejects.toThrow(
      /another process has it open.*its own sqlite directory.*redis or pulsar/,
    );
    await owner.close();
    await (await open({ path })).close();
  });

  it('refuses a file of a newer version, and does not change it', async () => {
    const path = freshPath();
    await (await open({ path })).close();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await expect(open({ path })).rejects.toThrow(/written by a newer version \(schema 99/);
    const untouched = new DatabaseSync(path);
    expect(untouched.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    untouched.close();
  });

  it('rejects if the file cannot be opened', async () => {
    await expect(open({ path: join(directory) })).rejects.toBeInstanceOf(AdapterUnusableError);
  });

  it('notices within its poll interval that the clock was set forward', async () => {
    let ahead = 0;
    const schedule = await open({ path: ':memory:', pollIntervalMs: 20, now: () => Date.now() + ahead });
    const handOvers = new HandOvers();
    await schedule.consume({ concurrency: 1 }, async (each) => handOvers.start(each));
    await schedule.add(message(Date.now() + 3_600_000));
    expect(handOvers.all).toEqual([]);
    ahead = 7_200_000;
    await handOvers.started(1);
    await schedule.close();
  });

  it('holds at most maxPendingMessages, and has room again when some are gone', async () => {
    const path = freshPath();
    const later = () => message(Date.now() + 3_600_000);
    const [first, second, third, beyond] = [later(), later(), later(), later()];
    const full = { code: 'schedule_full', retryable: true };
    const schedule = await open({ path, maxPendingMessages: 3 });
    // A message that is already stored takes no more room.
    await Promise.all([first, first, second].map((each) => schedule.add(each)));
    const outcomes = await Promise.allSettled([third, beyond].map((each) => schedule.add(each)));
    expect(outcomes).toEqual([{ status: 'fulfilled' }, expect.objectContaining({ status: 'rejected' })]);
    await expect(schedule.add(beyond)).rejects.toMatchObject(full);
    await schedule.add(second);
    await schedule.close();

    const again = await open({ path, maxPendingMessages: 3 });
    await expect(again.add(beyond)).rejects.toMatchObject(full);
    expect(await again.cancel(first.id)).toBe(true);
    await again.add(beyond);
    await again.add(first);
    await expect(again.add(later())).rejects.toMatchObject(full);
    const handOvers = new HandOvers();
    await again.consume({ concurrency: 1 }, async (each) => handOvers.start(each));
    expect(await again.reschedule(second.id, Date.now())).toBe(true);
    await handOvers.started(1);
    await untilAdded(again, later());
    await again.close();
  });

  it('forgets finished ids after rememberMs', async () => {
    let ahead = 0;
    const schedule = await open({ path: ':memory:', rememberMs: 1_000, now: () => Date.now() + ahead });
    const again = message(Date.now() + 3_600_000);
    await schedule.add(again);
    await schedule.cancel(again.id);
    await schedule.add(again);
    expect(await schedule.find(again.id)).toBeUndefined();
    ahead = 2_000;
    await schedule.add(again);
    expect(await schedule.find(again.id)).toEqual(again);
    await schedule.close();
  });
});
