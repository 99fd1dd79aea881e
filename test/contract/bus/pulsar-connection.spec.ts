import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
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
import { Journal } from '../../support/event-log.js';
import { timeTaken } from '../../support/time-taken.js';
import { hasty, open } from './pulsar-bus.open.js';
import { describeOverEachTransport } from './pulsar-transports.js';

describeOverEachTransport('pulsar', "Pulsar's tokens", (urlOf) => {
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

  it('lets in whoever shows a good one', async () => {
    const { outcome, status, close } = await attempt(pulsar.tokenFor('admin'));
    expect(outcome).toBe('published');
    expect(status.state).toBe('up');
    await close();
  });

  it.each([
    ['none', () => undefined, /token/],
    ['garbage', () => 'not.a.token', /token/],
    ["another cluster's", () => 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2VjcmV0', /token/],
    ['one that has expired', () => pulsar.tokenFor('admin', Date.now() - 60_000), /token/],
    ['one of a role without permissions', () => pulsar.tokenFor('nobody'), /token.*topic/],
  ])('refuses %s, says so, and keeps it to itself', async (_, tokenOf, reason) => {
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

  describe('over a line that goes silent', () => {
    let line: SilentLine;
    let bus: Bus;
    let other: Bus | undefined;
    beforeEach(() => line.speak());
    beforeAll(async () => {
      line = await SilentLine.to(new URL(pulsar.webUrl));
    });
    afterEach(async () => {
      await Promise.all([bus.close(), other?.close()]);
      other = undefined;
    });
    afterAll(() => line.close());

    it('fails fast, notices by itself, and goes on when it speaks again', async () => {
      const heard = { up: Promise.withResolvers<void>(), down: Promise.withResolvers<string>() };
      const status = new BrokerStatus('pulsar', ({ state, reason }) => {
        if (state === 'up') heard.up.resolve();
        if (state === 'down') heard.down.resolve(reason!);
      });
      const topic = randomUUID();
      bus = await open({ serviceUrl: line.url, pingIntervalMs: 1_500, ...hasty }, status, [topic]);
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

      heard.up = Promise.withResolvers();
      line.silence();
      const unheard = () => bus.publish(topic, [{ value: Buffer.from('unheard') }]);
      const giveUp = () => expect(unheard()).rejects.toBeInstanceOf(BrokerUnavailableError);
      expect(await timeTaken(giveUp)).toBeLessThan(2_000);
      expect(await heard.down.promise).toMatch(/silent/);

      line.speak();
      await heard.up.promise;
      const last = arrival('after');
      await untilPublished(bus, topic, 'after');
      await last;
    });

    it('leaves to others what no handler has, and takes its share again when it speaks', async () => {
      const heard = { up: Promise.withResolvers<void>(), down: Promise.withResolvers<void>() };
      const status = new BrokerStatus('pulsar', ({ state }) => {
        if (state !== 'connecting') heard[state].resolve();
      });
      bus = await open({ serviceUrl: line.url, pingIntervalMs: 1_500 }, status);
      const witness = (other = await open({ serviceUrl: pulsar.webUrl }));
      const topic = randomUUID();
      const subscription = { topics: [topic], group: 'g', from: 'earliest' } as const;
      const body = (value: Buffer | undefined) => String(value);
      const begun = new Journal<string>();
      const elsewhere = new Journal<string>();
      const release = Promise.withResolvers<void>();
      await bus.subscribe({ ...subscription, concurrency: 2 }, async ([record]) => {
        begun.add(body(record?.value));
        await release.promise;
      });
      const records = (name: string, keyOf: (at: number) => string) =>
        Array.from({ length: 10 }, (_, at) => ({ key: keyOf(at), value: Buffer.from(`${name} ${at}`) }));
      await witness.publish(
        topic,
        records('before', () => 'k'),
      );
      await witness.publish(topic, [{ key: 'l', value: Buffer.from('last') }]);
      // The last has come, so all of them are in hand.
      await begun.until((bodies) => bodies.includes('last'));

      heard.up = Promise.withResolvers();
      line.silence();
      await heard.down.promise;
      await witness.subscribe(subscription, async ([record]) => elsewhere.add(body(record?.value)));
      await elsewhere.until((bodies) => bodies.includes('before 9') && bodies.includes('last'));
      release.resolve();
      line.speak();
      await heard.up.promise;
      for (let round = 0; !begun.entries.some((each) => each.startsWith('after')); round++) {
        await witness.publish(topic, records(`after ${round}`, String));
        const isOver = () =>
          [...begun.entries, ...elsewhere.entries].filter((each) => each.startsWith(`after ${round} `))
            .length >= 10;
        await Promise.race([begun.until(isOver), elsewhere.until(isOver)]);
      }
      expect(begun.entries.filter((each) => !each.startsWith('after'))).toEqual(['before 0', 'last']);
    });
  });

  it('delivers no more than it is asked to hold', async () => {
    const options = pulsarDriverOptions.parse({ serviceUrl: pulsar.webUrl, sendTimeoutMs: 60_000 });
    const transport = new WebSocketTransport(options, new BrokerStatus('pulsar'));
    const topic = topicOf(randomUUID(), options);
    const producer = transport.produce(topic);
    const inHand: PulsarMessage[] = [];
    let onMessage = (): void => {};
    const consumer = transport.consume(
      { topic, subscription: 's', type: 'Shared', from: 'earliest', maxInHand: 10 },
      (message) => {
        inHand.push(message);
        onMessage();
      },
    );
    const holds = (count: number) =>
      new Promise<void>((resolve) => {
        onMessage = () => inHand.length >= count && resolve();
        onMessage();
      });
    await consumer.inForce;
    const sends = Array.from({ length: 200 }, (_, index) =>
      producer.send({ payload: Buffer.from(String(index)), properties: {} }),
    );
    await Promise.all(sends);
    await holds(10);
    // A further round to the broker and back: nothing else was on its way.
    await producer.send({ payload: Buffer.from('round'), properties: {} });
    expect(inHand).toHaveLength(10);
    for (let taken = 10; taken <= 200; taken += 10) {
      await holds(10);
      expect(inHand).toHaveLength(10);
      for (const message of inHand.splice(0)) consumer.acknowledge(message);
    }
    await holds(1);
    await Promise.all([producer.close(), consumer.close()]);
  });

  it('refuses a file of certificate authorities that cannot be read', async () => {
    await expect(open({ serviceUrl: pulsar.webUrl, tlsCaFile: '/nowhere/ca.pem' })).rejects.toMatchObject({
      code: 'tls_authorities_unreadable',
    });
  });
});

/** A line between a client and a server that can be cut without either of them being told. */
class SilentLine {
  readonly #sockets = new Set<Socket>();
  #isSilent = false;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.#connect(client));
  }

  static async to(target: URL): Promise<SilentLine> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SilentLine(server, target);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Nothing is passed on any more, on old connections and on new ones. */
  silence(): void {
    this.#isSilent = true;
  }

  /** New connections are passed on; the silent ones stay silent. */
  speak(): void {
    this.#isSilent = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #connect(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    let isCut = this.#isSilent;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => {
        isCut ||= this.#isSilent;
        if (!isCut) to.write(chunk);
      });
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  }
}

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
