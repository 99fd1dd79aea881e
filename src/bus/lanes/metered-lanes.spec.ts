import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { BrokerStatus } from '../../metrics/index.js';
import { MemoryBus } from '../adapters/memory/memory.bus.js';
import { memoryBusOptions } from '../adapters/memory/memory.options.js';
import { SqliteSchedule } from '../adapters/sqlite/sqlite.schedule.js';
import { delayedLaneOptions } from './delayed-lane.options.js';
import { instantLaneOptions } from './instant-lane.options.js';
import { BusClosedError } from '../bus.errors.js';
import { LaneMeter, type LaneCounter } from './lane-meter.js';
import type { Message } from '../../message/index.js';
import { MeteredInstantLane, MeteredSchedule } from './metered-lanes.js';

const message = (id: string): Message => ({
  id,
  channel: 'c',
  data: Buffer.from('1'),
  format: 'json',
  createdAt: Date.now(),
});

describe('metered lanes', () => {
  let counter: LaneCounter;
  const cleanups: (() => Promise<void>)[] = [];

  beforeEach(() => {
    const labelNames = ['lane', 'adapter', 'outcome'] as const;
    counter = new Counter({ name: 'messages', help: 'messages', labelNames, registers: [new Registry()] });
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  const counts = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await counter.get()).values.map(({ labels, value }) => [
        `${labels.lane} ${labels.adapter} ${labels.outcome}`,
        value,
      ]),
    );

  it('count the accepted, delivered, returned and refused messages of the instant lane', async () => {
    const bus = new MemoryBus(memoryBusOptions.parse({ retryInitialDelayMs: 1 }), new BrokerStatus('memory'));
    cleanups.push(() => bus.close());
    const lane = new MeteredInstantLane(
      bus,
      instantLaneOptions.parse({}),
      new LaneMeter(counter, 'instant', 'memory'),
    );
    const done = Promise.withResolvers<void>();
    let calls = 0;
    await lane.consume(async () => {
      if (++calls === 1) throw new Error('not now');
      if (calls === 3) done.resolve();
    });
    await lane.publish([message('a'), message('b')]);
    await done.promise;
    await bus.close();
    await expect(lane.publish([message('c')])).rejects.toThrow(BusClosedError);
    expect(await counts()).toMatchObject({
      'instant memory accepted': 2,
      'instant memory returned': 1,
      'instant memory refused': 1,
    });
  });

  it('count the accepted, rescheduled, cancelled and delivered messages of a schedule', async () => {
    const options = { ...delayedLaneOptions.parse({}), path: ':memory:', synchronous: 'normal' as const };
    const sqlite = await SqliteSchedule.open(options, new BrokerStatus('sqlite'));
    cleanups.push(() => sqlite.close());
    const schedule = new MeteredSchedule(sqlite, new LaneMeter(counter, 'delayed', 'sqlite'));
    await schedule.add({ ...message('a'), dueAt: Date.now() + 60_000 });
    await schedule.add({ ...message('b'), dueAt: Date.now() + 60_000 });
    expect(await schedule.cancel('b')).toBe(true);
    expect(await schedule.cancel('b')).toBe(false);
    const delivered = Promise.withResolvers<void>();
    await schedule.consume({ concurrency: 1 }, async () => delivered.resolve());
    await schedule.reschedule('a', Date.now());
    await delivered.promise;
    await schedule.close();
    expect(await counts()).toEqual({
      'delayed sqlite accepted': 2,
      'delayed sqlite cancelled': 1,
      'delayed sqlite rescheduled': 1,
      'delayed sqlite handed_over': 1,
    });
  });
});
