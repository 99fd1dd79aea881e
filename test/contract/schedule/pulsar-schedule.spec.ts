import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { type RunningBroker, type RunningPulsar, startPulsar, startRedis } from '../../support/brokers.js';
import { leaseMs, open, type PulsarScheduleSettings, retryInitialMs } from './pulsar-schedule.open.js';
import { describeOverEachTransport } from '../bus/pulsar-transports.js';
import { type Conditions, describeSchedule, type ScheduleSubject } from './schedule.contract.js';
import { messageIn, untilAdded } from './scheduled-messages.js';

const module = './pulsar-schedule.open.ts';
const traits = {
  leaseMs,
  // The broker delivers messages that become due within one tick (100 ms here, and up to as much early) in the order of adding.
  orderGrainMs: 250,
  retryInitialMs,
};

describeOverEachTransport(['pulsar', 'redis'], 'the delayed lane on Pulsar', (urlOf) => {
  let pulsar: RunningPulsar;
  let redis: RunningBroker;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'carillon-ledger-'));
    [pulsar, redis] = await Promise.all([startPulsar(), startRedis({ appendOnly: true })]);
    // The broker needs a second for its first topic. The tests must not include this time.
    const schedule = await open(given(':memory:'));
    await schedule.consume({ concurrency: 1 }, async () => {});
    await untilAdded(schedule, messageIn(0));
    await schedule.close();
  });
  afterAll(async () => {
    await Promise.all([pulsar.dispose(), redis.dispose(), rm(directory, { recursive: true })]);
  });
  const given = (ledger: PulsarScheduleSettings['ledger'], clock?: Conditions): PulsarScheduleSettings => ({
    serviceUrl: urlOf(pulsar),
    topic: randomUUID(),
    ledger,
    ...clock,
  });

  describeSchedule(
    'PulsarSchedule with a ledger in Redis',
    async (clock): Promise<ScheduleSubject> => {
      const options = given({ url: redis.url, keyPrefix: `test-${randomUUID()}` });
      return {
        schedule: await open({ ...options, ...clock }),
        another: (its) => open({ ...options, ...its }),
        reopen: () => open(options),
        otherProcess: { options: { module, options }, takeOver: () => open(options) },
        store: { stop: () => redis.kill(), start: () => redis.restart() },
      };
    },
    { ...traits, storeHasClock: true },
  );

  describeSchedule(
    'PulsarSchedule with a ledger in a file',
    async (clock): Promise<ScheduleSubject> => {
      const options = given(join(directory, `${randomUUID()}.db`));
      const elsewhere = given(join(directory, `${randomUUID()}.db`));
      return {
        schedule: await open({ ...options, ...clock }),
        reopen: () => open(options),
        otherProcess: { options: { module, options: elsewhere }, takeOver: () => open(elsewhere) },
      };
    },
    { ...traits, storeHasClock: false },
  );

  describeSchedule(
    'PulsarSchedule with a ledger in memory',
    async (clock): Promise<ScheduleSubject> => ({ schedule: await open(given(':memory:', clock)) }),
    { ...traits, storeHasClock: false },
  );
});
