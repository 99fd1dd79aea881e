import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bus, BrokerUnavailableError } from '../../../src/bus/index.js';
import { pulsarDriverOptions } from '../../../src/bus/adapters/pulsar/pulsar.options.js';
import { topicOf } from '../../../src/bus/adapters/pulsar/topic.js';
import type { PulsarMessage } from '../../../src/bus/adapters/pulsar/transport.js';
import { WebSocketTransport } from '../../../src/bus/adapters/pulsar/websocket/websocket-transport.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeWithOwn, type RunningPulsar, startPulsar } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { PulsarProxy } from '../../support/pulsar-proxy.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { timeTaken } from '../../support/time-taken.js';
import { defaultTimeouts, open } from './pulsar-bus.open.js';
import { describeOverEachTransport } from './pulsar-transports.js';

describeOverEachTransport('pulsar', "Pulsar's token authentication", (urlOf) => {
  let pulsar: RunningPulsar;
  const logged: unknown[] = [];
  beforeAll(async () => {
    pulsar = await startPulsar({ tokens: true, authorization: true });
    const log = (...said: unknown[]) => void logged.push(...said);
    Logger.overrideLogger({ log, warn: log, error: log, debug: log, verbose: log, fatal: log });
  });
  afterAll(async () => {
    Logger.overrideLogger(false);
    await pulsar.dispose();
  });

  async function attempt(token: string | undefined) {
    const refused = Promise.withResolvers<string>();
    const status = new BrokerStatus('pulsar', ({ state, reason }) => {
      if (state === 'down') refused.resolve(reason!);
    });
    const bus = await open({ serviceUrl: urlOf(pulsar), ...(token === undefined ? {} : { token }) }, status);
    const outcome = await bus.publish(randomUUID(), [{ value: Buffer.from('x') }]).then(
      () => 'published' as const,
      (error: unknown) => error as Error,
    );
    return { outcome, status, refused: refused.promise, close: () => bus.close() };
  }

  it('accepts a valid token', async () => {
    const { outcome, status, close } = await attempt(pulsar.tokenFor('admin'));
    expect(outcome).toBe('published');
    expect(status.state).toBe('up');
    await close();
  });

  it.each([
    ['no token', () => undefined, /token/],
    ['a malformed token', () => 'not.a.token', /token/],
    ['a token of another cluster', () => 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2VjcmV0', /token/],
    ['an expired token', () => pulsar.tokenFor('admin', Date.now() - 60_000), /token/],
    ['a token of a role without permissions', () => pulsar.tokenFor('nobody'), /token.*topic/],
  ])('refuses %s, reports the reason, and does not disclose the token', async (_, tokenOf, reason) => {
    const token = tokenOf();
    logged.length = 0;
    const { outcome, status, refused, close } = await attempt(token);
    expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    expect((outcome as Error).message).toMatch(reason);
    expect(await refused).toMatch(reason);
    expect(status.state).toBe('down');
    await close();
    expect(inspect([outcome, logged], { depth: null })).not.toContain(token ?? 'Bearer');
  });
});

describeWithOwn('pulsar', "Pulsar's WebSocket API", () => {
  let pulsar: RunningPulsar;
  beforeAll(async () => {
    pulsar = await startPulsar();
  });
  afterAll(() => pulsar.dispose());

  describe('on a connection that goes silent', () => {
    let proxy: TcpProxy;
    let serviceUrl: string;
    let bus: Bus;
    let other: Bus | undefined;
    beforeEach(() => proxy.unsilence());
    beforeAll(async () => {
      proxy = await TcpProxy.open(Number(new URL(pulsar.webUrl).port));
      serviceUrl = `http://127.0.0.1:${proxy.port}`;
    });
    afterEach(async () => {
      await Promise.all([bus.close(), other?.close()]);
      other = undefined;
    });
    afterAll(() => proxy[Symbol.asyncDispose]());

    it('fails fast, detects the silence, and resumes on a new connection', async () => {
      const reported = { up: Promise.withResolvers<void>(), down: Promise.withResolvers<string>() };
      const status = new BrokerStatus('pulsar', ({ state, reason }) => {
        if (state === 'up') reported.up.resolve();
        if (state === 'down') reported.down.resolve(reason!);
      });
      const topic = randomUUID();
      bus = await open({ serviceUrl, pingIntervalMs: 1_500, ...defaultTimeouts }, status, [topic]);
      const bodies = new Set<string>();
      const watchers = new Map<string, () => void>();
      await bus.subscribe({ topics: [topic], group: 'g' }, async ([record]) => {
        bodies.add(record!.value.toString());
        watchers.get(record!.value.toString())?.();
      });
      const arrival = (body: string) => new Promise<void>((resolve) => watchers.set(body, resolve));
      const first = arrival('before');
      await untilPublished(bus, topic, 'before');
      await first;

      reported.up = Promise.withResolvers();
      proxy.silence();
      const publish = () => bus.publish(topic, [{ value: Buffer.from('lost') }]);
      const rejects = () => expect(publish()).rejects.toBeInstanceOf(BrokerUnavailableError);
      expect(await timeTaken(rejects)).toBeLessThan(2_000);
      expect(await reported.down.promise).toMatch(/silent/);

      proxy.unsilence();
      await reported.up.promise;
      const last = arrival('after');
      await untilPublished(bus, topic, 'after');
      await last;
    });

    it('leaves records that no handler has started to other members, and receives its share again on a new connection', async () => {
      const reported = { up: Promise.withResolvers<void>(), down: Promise.withResolvers<void>() };
      const status = new BrokerStatus('pulsar', ({ state }) => {
        if (state !== 'connecting') reported[state].resolve();
      });
      bus = await open({ serviceUrl, pingIntervalMs: 1_500 }, status);
      const otherMember = (other = await open({ serviceUrl: pulsar.webUrl }));
      const topic = randomUUID();
      const subscription = { topics: [topic], group: 'g', from: 'earliest' } as const;
      const body = (value: Buffer | undefined) => String(value);
      const begun = new EventLog<string>();
      const elsewhere = new EventLog<string>();
      const release = Promise.withResolvers<void>();
      await bus.subscribe({ ...subscription, concurrency: 2 }, async ([record]) => {
        begun.add(body(record?.value));
        await release.promise;
      });
      const records = (name: string, keyOf: (at: number) => string) =>
        Array.from({ length: 10 }, (_, at) => ({ key: keyOf(at), value: Buffer.from(`${name} ${at}`) }));
      await otherMember.publish(
        topic,
        records('before', () => 'k'),
      );
      await otherMember.publish(topic, [{ key: 'l', value: Buffer.from('last') }]);
      // The last record has arrived, so this member holds all of them.
      await begun.until((bodies) => bodies.includes('last'));

      reported.up = Promise.withResolvers();
      proxy.silence();
      await reported.down.promise;
      await otherMember.subscribe(subscription, async ([record]) => elsewhere.add(body(record?.value)));
      await elsewhere.until((bodies) => bodies.includes('before 9') && bodies.includes('last'));
      release.resolve();
      proxy.unsilence();
      await reported.up.promise;
      for (let round = 0; !begun.entries.some((each) => each.startsWith('after')); round++) {
        await otherMember.publish(topic, records(`after ${round}`, String));
        const isOver = () =>
          [...begun.entries, ...elsewhere.entries].filter((each) => each.startsWith(`after ${round} `))
            .length >= 10;
        await Promise.race([begun.until(isOver), elsewhere.until(isOver)]);
      }
      expect(begun.entries.filter((each) => !each.startsWith('after'))).toEqual(['before 0', 'last']);
    });
  });

  describe('of a version that is too old', () => {
    // No such version can be run here: the proxy reports it.
    const openOld = async () => {
      const proxy = await PulsarProxy.open(pulsar.webUrl);
      proxy.version = '3.3.1';
      return proxy;
    };

    it('is refused at the start', async () => {
      await using proxy = await openOld();
      await expect(open({ serviceUrl: proxy.url })).rejects.toMatchObject({
        code: 'adapter_unusable',
        message: expect.stringMatching(/Pulsar 3\.3\.1 .* is too old.*Use Pulsar 4\.0/),
      });
    });

    it('is not ready if it could not be asked at the start', async () => {
      await using proxy = await openOld();
      proxy.answersVersion = false;
      const tooOld = Promise.withResolvers<void>();
      const status = new BrokerStatus('pulsar', ({ reason }) => {
        if (reason?.includes('is too old')) tooOld.resolve();
      });
      const bus = await open({ serviceUrl: proxy.url }, status, [randomUUID()]);
      proxy.answersVersion = true;
      await tooOld.promise;
      expect(status.state).toBe('down');
      await bus.close();
    });
  });

  it('delivers no more messages than may be unacknowledged', async () => {
    const options = pulsarDriverOptions.parse({ serviceUrl: pulsar.webUrl, sendTimeoutMs: 60_000 });
    const transport = new WebSocketTransport(options, new BrokerStatus('pulsar'));
    const topic = topicOf(randomUUID(), options);
    const producer = transport.produce(topic);
    const unacked: PulsarMessage[] = [];
    let onMessage = (): void => {};
    const consumer = transport.consume(
      { topic, subscription: 's', type: 'Shared', from: 'earliest', maxUnacked: 10 },
      (message) => {
        unacked.push(message);
        onMessage();
      },
    );
    const received = (count: number) =>
      new Promise<void>((resolve) => {
        onMessage = () => unacked.length >= count && resolve();
        onMessage();
      });
    await consumer.subscribed;
    const sends = Array.from({ length: 200 }, (_, index) =>
      producer.send({ payload: Buffer.from(String(index)), properties: {} }),
    );
    await Promise.all(sends);
    await received(10);
    // After a further round trip to the broker nothing else has arrived.
    await producer.send({ payload: Buffer.from('round'), properties: {} });
    expect(unacked).toHaveLength(10);
    for (let taken = 10; taken <= 200; taken += 10) {
      await received(10);
      expect(unacked).toHaveLength(10);
      for (const message of unacked.splice(0)) consumer.acknowledge(message);
    }
    await received(1);
    await Promise.all([producer.close(), consumer.close()]);
  });

  it('rejects a file of certificate authorities that cannot be read', async () => {
    await expect(open({ serviceUrl: pulsar.webUrl, tlsCaFile: '/nowhere/ca.pem' })).rejects.toMatchObject({
      code: 'tls_authorities_unreadable',
    });
  });
});

async function untilPublished(bus: Bus, topic: string, body: string): Promise<void> {
  for (;;) {
    try {
      await bus.publish(topic, [{ value: Buffer.from(body) }]);
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
