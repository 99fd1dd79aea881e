/** Messages that Pulsar holds back beyond their time. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Counter } from 'prom-client';
import { LaneMeter } from '../../../src/bus/lanes/lane-meter.js';
import { MeteredSchedule } from '../../../src/bus/lanes/metered-lanes.js';
import { ProgressWatch } from '../../../src/bus/progress-watch.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeWithOwn, type RunningPulsar, startPulsar } from '../../support/brokers.js';
import { PulsarProxy } from '../../support/pulsar-proxy.js';
import { HandOvers } from './hand-overs.js';
import { open } from './pulsar-schedule.open.js';
import { messageIn, untilAdded } from './scheduled-messages.js';

describeWithOwn('pulsar', 'the watch over overdue messages in Pulsar', () => {
  let pulsar: RunningPulsar;
  let proxy: PulsarProxy;
  let schedule: MeteredSchedule;
  let handOvers: HandOvers;
  let outcomes: Counter<'lane' | 'adapter' | 'outcome'>;

  beforeAll(async () => {
    // The settings with which messages can stall: https://github.com/apache/pulsar/issues/25996
    pulsar = await startPulsar({
      properties: { delayedDeliveryTickTimeMillis: '1000', isDelayedDeliveryDeliverAtTimeStrict: 'true' },
    });
  });
  afterAll(() => pulsar.dispose());

  beforeEach(async () => {
    proxy = await PulsarProxy.open(pulsar.webUrl);
    outcomes = new Counter({
      name: 'outcomes',
      help: 'outcomes',
      labelNames: ['lane', 'adapter', 'outcome'],
      registers: [],
    });
    handOvers = new HandOvers();
    schedule = new MeteredSchedule(
      await open({ serviceUrl: proxy.url, topic: randomUUID(), ledger: ':memory:' }),
      new LaneMeter(outcomes, 'delayed', 'pulsar'),
      new ProgressWatch(() => new BrokerStatus('progress'), 30_000),
    );
    await schedule.consume({ concurrency: 16 }, async (message) => {
      handOvers.start(message);
      handOvers.end(message);
    });
  });
  afterEach(async () => {
    await schedule.close();
    await proxy[Symbol.asyncDispose]();
  });

  const overdue = async (): Promise<number> => {
    const { values } = await outcomes.get();
    return values.find(({ labels }) => labels.outcome === 'overdue')?.value ?? 0;
  };

  it('lets every message of a quiet topic arrive', async () => {
    const messages = [300, 700, 1_100, 1_900, 2_050, 2_400].map((ms) => messageIn(ms));
    for (const message of messages) await untilAdded(schedule, message);
    await handOvers.completed(messages.length);
    for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
  });

  it('connects again when a message does not arrive, and counts it', async () => {
    const first = messageIn(0);
    await untilAdded(schedule, first);
    await handOvers.completed(1);
    expect(await overdue()).toBe(0);
    proxy.swallowsMessages = true;
    const lost = messageIn(300);
    await schedule.add(lost);
    await proxy.swallowing(1);
    proxy.swallowsMessages = false;
    await handOvers.completed(2);
    expect(handOvers.ids()).toEqual([first.id, lost.id]);
    expect(await overdue()).toBe(1);
  });

  it('does not connect again for a message that is held here', async () => {
    const lane = await open({ serviceUrl: proxy.url, topic: randomUUID(), ledger: ':memory:' });
    const release = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const consumer = await lane.consume({ concurrency: 1 }, async () => {
      entered.resolve();
      await release.promise;
    });
    const [running, waiting] = [messageIn(0), messageIn(0)];
    for (const message of [running, waiting]) await untilAdded(lane, message);
    await entered.promise;
    expect(consumer.reconnect?.(running.id)).toBe(false);
    release.resolve();
    await lane.close();
  });
});
