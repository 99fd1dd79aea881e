import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { type Bus, type ReceivedRecord } from '../../../src/bus/index.js';
import { ProgressWatch } from '../../../src/bus/progress-watch.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { sendWithoutValue } from '../../support/null-header.js';
import { open } from './kafka-bus.open.js';

const {
  CompressionTypes: { GZIP },
  Kafka,
  logLevel,
} = kafkajs;

describeWith('kafka', 'The progress of a Kafka subscription', () => {
  let brokers: string[];
  const buses: Bus[] = [];
  beforeAll(async () => {
    brokers = (await sharedBroker('kafka')).url.split(',');
  });
  afterEach(() => Promise.all(buses.splice(0).map((bus) => bus.close())));

  const openBus = async (options: object = {}): Promise<Bus> => {
    const bus = await open({ brokers, partitions: 1, ...options });
    buses.push(bus);
    return bus;
  };

  it('is down with the reason while the membership keeps ending', async () => {
    // Longer than group.max.session.timeout.ms, so that the broker refuses every join.
    const bus = await openBus({ sessionTimeoutMs: 3_600_000 });
    const changes = new EventLog<string>();
    const status = () => new BrokerStatus('lane', ({ state, reason }) => changes.add(`${state} ${reason}`));
    const progress = new ProgressWatch(status, 1_000);
    progress.start();
    const group = randomUUID();
    await bus.subscribe({ topics: [randomUUID()], group, progress }, async () => {});
    const [, second] = await changes.atLeast(2);
    expect(second).toMatch(
      new RegExp(`^down the membership in the consumer group ${group} keeps ending: .*session timeout`),
    );
    progress.close();
  });

  it('is measured by the committed offset of the partitions that this process reads', async () => {
    const reader = await openBus();
    const other = await openBus();
    const topic = randomUUID();
    const group = randomUUID();
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    await reader.subscribe({ topics: [topic], group, from: 'earliest' }, async () => {
      entered.resolve();
      await release.promise;
    });
    await other.publish(topic, [{ value: Buffer.from('1') }, { value: Buffer.from('2') }]);
    await entered.promise;
    expect(await reader.lag(group, [topic])).toEqual([
      { topic, partition: 0, records: 2, acknowledged: '0', isAssigned: true },
    ]);
    expect(await other.lag(group, [topic])).toEqual([{ topic, partition: 0, records: 2, acknowledged: '0' }]);
    release.resolve();
  });

  it('is not stopped by a header or a record without a value', async () => {
    const bus = await openBus();
    const topic = randomUUID();
    const received = new EventLog<ReceivedRecord>();
    await bus.subscribe({ topics: [topic], group: randomUUID(), from: 'earliest' }, async ([record]) => {
      if (record !== undefined) received.add(record);
    });
    const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    sendWithoutValue('empty');
    await producer.send({
      topic,
      compression: GZIP,
      messages: [{ value: 'a', headers: { empty: '', text: 'b' } }, { value: null }, { value: 'c' }],
    });
    await producer.disconnect();
    const records = await received.atLeast(3);
    expect(records.map(({ headers: each, value }) => [each, value.toString()])).toEqual([
      [{ empty: '', text: 'b' }, 'a'],
      [{}, ''],
      [{}, 'c'],
    ]);
  });
});
