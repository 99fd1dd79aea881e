import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { RecordRefusedError } from '../../../src/bus/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeWithOwn, startKafka, type RunningBroker } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { type BusSubject, describeBus } from './bus.contract.js';
import { startHoldingProcess } from './holding-process.js';
import { defaultTimeouts, open } from './kafka-bus.open.js';
import { WorkerProcess } from './worker-process.js';

describeWithOwn('kafka', 'KafkaBus', () => {
  let kafka: RunningBroker;
  const settings = () => ({ brokers: kafka.url.split(',') });
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka.dispose());

  describeBus('KafkaBus', async (): Promise<BusSubject> => {
    const bus = await open(settings());
    return {
      bus,
      name: () => randomUUID(),
      another: () => open(settings()),
      holdElsewhere: (subscription) =>
        startHoldingProcess({ module: './kafka-bus.open.ts', options: settings() }, subscription),
      broker: {
        withDefaultTimeouts: () => open({ ...settings(), ...defaultTimeouts }),
        stop: () => kafka.stop(),
        start: () => kafka.restart(),
        freeze: () => kafka.freeze(),
        thaw: () => kafka.thaw(),
      },
      deadAfterMs: 10_000,
    };
  });

  describe('KafkaBus', () => {
    it('refuses records and names that Kafka refuses, and accepts the others', async () => {
      await using bus = await disposable();
      const topic = randomUUID();
      const fits = { value: Buffer.alloc(100) };
      const tooLarge = { value: Buffer.alloc(2_000_000) };
      const outcomes = await Promise.allSettled([
        bus.publish(topic, [fits]),
        bus.publish(topic, [tooLarge]),
        bus.publish(topic, [fits]),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'record_refused' } });
      await expect(bus.publish('no topic!', [fits])).rejects.toBeInstanceOf(RecordRefusedError);
      await expect(bus.subscribe({ topics: ['..'], group: 'g' }, async () => {})).rejects.toBeInstanceOf(
        RecordRefusedError,
      );
    });

    it('splits a request that is too large, although none of its records is', async () => {
      await using bus = await disposable({ maxRequestBytes: 50_000_000 });
      const topic = randomUUID();
      const records = Array.from({ length: 12 }, () => ({ key: 'k', value: Buffer.alloc(100_000) }));
      await bus.publish(topic, records);
      const received = Promise.withResolvers<void>();
      const sizes: number[] = [];
      await bus.subscribe(
        { topics: [topic], group: randomUUID(), from: 'earliest', maxBatchSize: 12 },
        async (batch) => {
          sizes.push(...batch.map(({ value }) => value.length));
          if (sizes.length >= 12) received.resolve();
        },
      );
      await received.promise;
      expect(sizes.every((size) => size === 100_000)).toBe(true);
    });

    it('reports the state of the broker', async () => {
      const changes: string[] = [];
      const reported = { up: Promise.withResolvers<void>(), down: Promise.withResolvers<void>() };
      const status = new BrokerStatus('kafka', ({ state, reason }) => {
        changes.push(state === 'down' ? `down: ${reason}` : state);
        if (state !== 'connecting') reported[state].resolve();
      });
      const bus = await open(settings(), status);
      await reported.up.promise;
      reported.up = Promise.withResolvers();
      await kafka.stop();
      // Nothing is published: the bus notices by itself.
      await reported.down.promise;
      await kafka.restart();
      await reported.up.promise;
      expect(changes).toEqual(['up', expect.stringMatching(/^down: ./), 'up']);
      await bus.close();
    });

    it('accepts records for many new topics at once, from several buses', async () => {
      // A broker needs longer to learn of many partitions than to create them.
      const many = { partitions: 40 };
      await using one = await disposable(many);
      await using other = await disposable(many);
      const topics = Array.from({ length: 12 }, () => randomUUID());
      const publishes = topics.flatMap((topic) =>
        [one, other].map((bus) => bus.publish(topic, [{ value: Buffer.from('first') }])),
      );
      const outcomes = await Promise.allSettled(publishes);
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    });

    it('creates a topic again that was deleted while a consumer was subscribed', async () => {
      await using consumer = await disposable();
      await using producer = await disposable();
      const topic = randomUUID();
      const arrived = Promise.withResolvers<string>();
      const options = { topics: [topic], group: randomUUID(), from: 'earliest' } as const;
      await consumer.subscribe(options, async ([record]) => arrived.resolve(String(record?.value)));
      const admin = new Kafka({ brokers: kafka.url.split(','), logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [topic] });
      while (!(await admin.listTopics()).includes(topic)) await delay(100);
      await admin.disconnect();
      await producer.publish(topic, [{ value: Buffer.from('after') }]);
      expect(await arrived.promise).toBe('after');
    });

    it('accepts records for a topic that was deleted, and for the others that the process publishes to', async () => {
      await using bus = await disposable();
      const [kept, deleted] = [randomUUID(), randomUUID()];
      const value = Buffer.from('x');
      await Promise.all([bus.publish(kept, [{ value }]), bus.publish(deleted, [{ value }])]);
      const admin = new Kafka({ brokers: kafka.url.split(','), logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [deleted] });
      while ((await admin.listTopics()).includes(deleted)) await delay(100);
      await bus.publish(deleted, [{ value }]);
      await bus.publish(kept, [{ value }]);
      expect(await admin.listTopics()).toContain(deleted);
      await admin.disconnect();
    });

    it('waits for a running handler before another member gets its partition', async () => {
      await using first = await disposable({ partitions: 1 });
      await using second = await disposable({ partitions: 1 });
      const topic = randomUUID();
      const group = randomUUID();
      const entered = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const handled: string[] = [];
      const options = { topics: [topic], group, from: 'earliest' } as const;
      await first.subscribe(options, async () => {
        entered.resolve();
        await release.promise;
        handled.push('first');
      });
      await first.publish(topic, [{ value: Buffer.from('1') }]);
      await entered.promise;
      const joining = second.subscribe(options, async () => void handled.push('second'));
      const early = await Promise.race([
        joining.then(() => 'joined'),
        new Promise((resolve) => setTimeout(resolve, 3_000, 'waiting')),
      ]);
      expect(early).toBe('waiting');
      release.resolve();
      await joining;
      expect(handled).toEqual(['first']);
    });

    const workers: WorkerProcess[] = [];
    afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));

    it('handles no record after a suspension in which other members got its partitions', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'carillon-kafka-'));
      const options = { ...settings(), partitions: 2, sessionTimeoutMs: 6_000 };
      await using bus = await disposable(options);
      const topic = randomUUID();
      const subscription = { topics: [topic], group: randomUUID(), from: 'earliest' } as const;
      const records = (name: string) =>
        Array.from({ length: 8 }, (_, at) => ({ key: String(at), value: Buffer.from(`${name}-${at}`) }));
      await bus.publish(topic, records('before'));
      const begun = Promise.withResolvers<void>();
      const byWorker = new EventLog<string>();
      const byOthers = new EventLog<string>();
      const worker = await WorkerProcess.start(
        {
          bus: { module: './kafka-bus.open.ts', options },
          subscription,
          workMs: 500,
          log: join(directory, 'log'),
        },
        (bodies) => bodies.forEach((body) => byWorker.add(body)),
        begun.resolve,
      );
      workers.push(worker);
      // The worker is handling its first record.
      await begun.promise;
      worker.freeze();
      await bus.subscribe(subscription, async ([record]) => byOthers.add(String(record?.value)));
      const all = () => new Set([...byWorker.entries, ...byOthers.entries]);
      await byOthers.until(() => all().size >= 8);
      const thawedAt = process.hrtime.bigint();
      worker.thaw();
      // Until the worker is a member again and receives records.
      for (let round = 0; !byWorker.entries.some((body) => body.startsWith('after')); round++) {
        await bus.publish(topic, records(`after-${round}`));
        const isDone = () => [...all()].filter((body) => body.startsWith(`after-${round}-`)).length === 8;
        await Promise.race([byWorker.until(isDone), byOthers.until(isDone)]);
      }
      await worker.kill();
      const calls = (await worker.handlerCalls()).filter(({ startedAt }) => startedAt > thawedAt);
      const twice = calls.flatMap(({ bodies }) => bodies).filter((body) => body.startsWith('before'));
      expect(twice).toEqual([]);
      await rm(directory, { recursive: true });
    });
  });

  async function disposable(more: object = {}) {
    const bus = await open({ ...settings(), ...more });
    return Object.assign(bus, { [Symbol.asyncDispose]: () => bus.close() });
  }
});
