import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IpcSchedule, serveSchedule } from '../../../src/bus/adapters/ipc/ipc.schedule.js';
import { BrokerUnavailableError, ScheduleFullError } from '../../../src/bus/index.js';
import { newMessageId, type ScheduledMessage } from '../../../src/message/index.js';
import { HandOvers } from './hand-overs.js';
import { linkPair } from '../ipc-link.js';
import { connect, open } from './ipc-schedule.open.js';
import { describeSchedule } from './schedule.contract.js';
import { open as openSqlite } from './sqlite-schedule.open.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-ipc-'));
});
afterAll(() => rm(directory, { recursive: true }));

const freshPath = () => join(directory, `${randomUUID()}.db`);

describeSchedule(
  'IpcSchedule',
  async (clock) => {
    const [path, elsewhere] = [freshPath(), freshPath()];
    const store = await openSqlite({ path, ...clock });
    const schedule = await connect(store);
    const close = schedule.close.bind(schedule);
    schedule.close = async () => {
      await close();
      await store.close();
    };
    return {
      schedule,
      another: () => connect(store),
      reopen: () => open({ path }),
      otherProcess: {
        options: { module: './ipc-schedule.open.ts', options: { path: elsewhere } },
        takeOver: () => open({ path: elsewhere }),
      },
    };
  },
  { storeHasClock: false, leaseMs: 0 },
);

describe('IpcSchedule', () => {
  const message = (): ScheduledMessage => {
    const now = Date.now();
    return {
      id: newMessageId(),
      channel: 'c',
      data: Buffer.from('1'),
      format: 'json',
      createdAt: now,
      dueAt: now,
    };
  };

  it('reports why a message is refused', async () => {
    const schedule = await open({ path: ':memory:', maxPendingMessages: 1 });
    await schedule.add(message());
    await expect(schedule.add(message())).rejects.toBeInstanceOf(ScheduleFullError);
    await schedule.close();
  });

  it('delivers the messages of a dead worker to another one', async () => {
    const store = await openSqlite({ path: ':memory:' });
    const { primary, worker } = linkPair();
    serveSchedule(primary, store);
    const [victim, heir] = [await IpcSchedule.open(worker), await connect(store)];
    const held = Promise.withResolvers<void>();
    await victim.consume({ concurrency: 1 }, () => {
      held.resolve();
      return Promise.withResolvers<void>().promise;
    });
    const added = message();
    await victim.add(added);
    await held.promise;
    const handOvers = new HandOvers();
    await heir.consume({ concurrency: 1 }, async (each) => handOvers.start(each));
    worker.close();
    await handOvers.started(1);
    expect(handOvers.ids()).toEqual([added.id]);
    await expect(victim.add(message())).rejects.toBeInstanceOf(BrokerUnavailableError);
    await Promise.all([victim.close(), heir.close()]);
    await store.close();
  });
});
