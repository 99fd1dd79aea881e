import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { register } from 'prom-client';
import type { Rewards } from '../../../examples/live-tasks/daily-task.js';
import { LIVE } from '../../../examples/live-tasks/live-events.js';
import { LiveTasksModule } from '../../../examples/live-tasks/live-tasks.module.js';
import { TaskProgress } from '../../../examples/live-tasks/task-progress.js';
import { DeadLetters, Events, type OutgoingEvent } from '../../../src/bus/index.js';
import { EventLog } from '../../support/event-log.js';
import { describeOnEveryDriver } from '../bus/bus-drivers.js';

describeOnEveryDriver('The live-streaming task', ({ options }) => {
  let granted: EventLog<string>;
  let application: TestingModule;
  let anchor: string;
  let failuresToCome: number;
  const today = () => new Date().toISOString().slice(0, 10);

  beforeEach(async () => {
    register.clear();
    granted = new EventLog();
    failuresToCome = 0;
    // Others may use the topic of the example on a shared broker.
    anchor = `anchor-${randomUUID()}`;
    const rewards: Rewards = {
      grant: async (who) => {
        if (who === anchor && failuresToCome-- > 0) throw new Error('the bank is closed');
        granted.add(who);
      },
    };
    const quickly = { retryInitialMs: 20, maxAttempts: 3 };
    const bus = { ...(await options()), consumers: quickly };
    application = await Test.createTestingModule({ imports: [LiveTasksModule.forRoot(bus, rewards)] })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    await application.init();
  });
  afterEach(() => application.close());

  const income = (amount: unknown) => ({
    event: 'anchor-income',
    payload: { anchor, income: amount },
    key: anchor,
  });
  const ended = (minutes: number) => ({
    event: 'broadcast-ended',
    payload: { anchor, minutes },
    key: anchor,
  });
  const emit = (...events: readonly OutgoingEvent[]) => application.get(Events).emit(LIVE, events);
  const ofAnchor = (all: readonly string[]) => all.filter((who) => who === anchor);

  it('is done once when both goals are passed, in whatever order', async () => {
    await emit(income(80), ended(45));
    await emit(ended(30), income(40), income(1_000), ended(1_000));
    await granted.until((all) => ofAnchor(all).length === 1);
    expect(application.get(TaskProgress).of(anchor, today())).toMatchObject({ income: 120, minutes: 75 });
    expect(ofAnchor(granted.entries)).toEqual([anchor]);
  });

  it('retries a reward that failed, and grants it once', async () => {
    failuresToCome = 1;
    await emit(income(101), ended(61), income(7));
    await granted.until((all) => ofAnchor(all).length === 1);
    await emit(income(8));
    expect(application.get(TaskProgress).of(anchor, today())).toMatchObject({ income: 101, minutes: 61 });
    expect(ofAnchor(granted.entries)).toEqual([anchor]);
  });

  it('counts events that were emitted twice with one idempotency key once', async () => {
    const once = { idempotencyKey: randomUUID() };
    const events = application.get(Events);
    const first = await events.emit(LIVE, income(60), once);
    expect(await events.emit(LIVE, income(60), once)).toEqual({ ids: first.ids, replayed: true });
    await expect(events.emit(LIVE, income(61), once)).rejects.toMatchObject({ code: 'emit_key_reused' });
    await emit(ended(61), income(41));
    await granted.until((all) => ofAnchor(all).length === 1);
    expect(application.get(TaskProgress).of(anchor, today())).toMatchObject({ income: 101 });
  });

  it('dead-letters an event with an invalid income, and continues', async () => {
    await emit(income('a lot'), ended(61), income(101));
    await granted.until((all) => ofAnchor(all).length === 1);
    const deadLetters = application.get(DeadLetters);
    const find = async () => {
      const { records } = await deadLetters.list({ group: 'task-daily', limit: 1000 });
      return records.find(({ key }) => key === anchor);
    };
    let dead = await find();
    while (dead === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      dead = await find();
    }
    expect(dead).toMatchObject({ attempts: 1, failure: { code: 'event_unhandleable' } });
    expect(await deadLetters.drop(dead.id)).toBe(true);
  });
});
