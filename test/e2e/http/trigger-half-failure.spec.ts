import { describe, expect, it } from '@jest/globals';
import { Bus, type BusSubscription } from '../../../src/bus/index.js';
import type { Message, OutgoingRecord } from '../../../src/message/index.js';
import { triggerOptions } from '../../../src/trigger/index.js';
import { timeTaken } from '../../support/time-taken.js';
import { openStores, TriggerApp, type TriggerAppOptions } from '../../support/trigger-app.js';

interface Outcome {
  readonly status: number;
  readonly code?: string;
  readonly retryAfter: string | null;
  readonly replayed: boolean;
  readonly tookMs: number;
  readonly ids: readonly string[];
}

interface Body {
  readonly error?: { readonly code: string };
  readonly messages?: readonly { readonly id: string }[];
}

async function post(app: TriggerApp, query: string, key?: string): Promise<Outcome> {
  const send = () =>
    fetch(`${app.url}/trigger${query}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'bell/1',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      body: '{"id":"Hello"}',
    });
  let response = new Response();
  const tookMs = await timeTaken(async () => (response = await send()));
  const { error, messages = [] } = (await response.json()) as Body;
  return {
    status: response.status,
    ...(error ? { code: error.code } : {}),
    retryAfter: response.headers.get('retry-after'),
    replayed: response.headers.has('idempotency-replayed'),
    tookMs,
    ids: messages.map(({ id }) => id),
  };
}

/** A node whose instant lane is full: it refuses messages until `recover` resumes the consumer. */
class StuckNode implements AsyncDisposable {
  private constructor(
    readonly app: TriggerApp,
    private readonly consumer: BusSubscription,
  ) {}

  static async start(options: TriggerAppOptions = {}): Promise<StuckNode> {
    const app = await TriggerApp.start({ ...options, instantCapacity: 1 });
    const consumer = await app.consume();
    consumer.pause();
    await app.lane.publish([
      { id: 'filler', channel: 'sentinel', data: Buffer.from('0'), format: 'json', createdAt: 0 },
    ]);
    return new StuckNode(app, consumer);
  }

  async recover(): Promise<void> {
    this.consumer.resume();
    await this.app.consumed('filler');
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.consumer.resume();
    return this.app[Symbol.asyncDispose]();
  }
}

/** Lets a test block a publish before or after the bus accepts the records. */
class BlockableBus extends Bus {
  readonly capabilities;
  before: () => Promise<void> = async () => {};
  after: () => Promise<void> = async () => {};

  constructor(private readonly bus: Bus) {
    super();
    this.capabilities = bus.capabilities;
  }

  override async publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    await this.before();
    await this.bus.publish(topic, records);
    await this.after();
  }

  override subscribe(...args: Parameters<Bus['subscribe']>): Promise<BusSubscription> {
    return this.bus.subscribe(...args);
  }

  override lag(...args: Parameters<Bus['lag']>): ReturnType<Bus['lag']> {
    return this.bus.lag(...args);
  }

  override close(): Promise<void> {
    return this.bus.close();
  }
}

/** A point at which code waits until the test lets it continue or fail. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const pass = (): Promise<void> => {
    reached.resolve();
    return opened.promise;
  };
  return { pass, reached: reached.promise, open: opened.resolve, fail: opened.reject };
}

const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id);

describe('when the instant lane is down', () => {
  it('a request is refused quickly, with the time to retry, and leaves no copy queued', async () => {
    await using node = await StuckNode.start();
    const outcome = await post(node.app, '');
    expect(outcome).toMatchObject({ status: 503, code: 'broker_unavailable', retryAfter: '1' });
    expect(outcome.tookMs).toBeLessThan(2000);
    expect(await node.app.delayed()).toEqual([]);
    await node.recover();
    expect(await node.app.instant()).toEqual([]);
  });

  it('retries with one key create one copy in each lane when it has recovered', async () => {
    await using node = await StuckNode.start();
    for (let attempt = 0; attempt < 3; attempt++) {
      expect((await post(node.app, '', 'retry')).status).toBe(503);
      expect(await node.app.delayed()).toEqual([]);
    }
    await node.recover();
    const done = await post(node.app, '', 'retry');
    expect(done).toMatchObject({ status: 202, replayed: false });
    expect(await post(node.app, '', 'retry')).toMatchObject({ status: 202, replayed: true, ids: done.ids });
    expect(idsOf(await node.app.instant())).toEqual([done.ids[0]]);
    expect(idsOf(await node.app.delayed())).toEqual([done.ids[1]]);
  });

  it('the delay of a retry starts at the retry', async () => {
    await using node = await StuckNode.start();
    await post(node.app, '?delay=PT1M', 'later');
    await node.recover();
    const retriedAt = Date.now();
    await post(node.app, '?delay=PT1M', 'later');
    expect((await node.app.delayed())[0]?.dueAt).toBeGreaterThanOrEqual(retriedAt + 60_000);
  });

  it('a delayed copy that has fallen due keeps its id, and the retry adds the instant copy', async () => {
    await using node = await StuckNode.start();
    expect((await post(node.app, '?delay=0', 'due')).status).toBe(503);
    const [left] = await node.app.delayed();
    await node.recover();
    const done = await post(node.app, '?delay=0', 'due');
    expect(done.ids[1]).toBe(left?.id);
    expect(idsOf(await node.app.delayed())).toEqual([left?.id]);
    expect(idsOf(await node.app.instant())).toEqual([done.ids[0]]);
  });

  it('a request for the delayed lane only is accepted', async () => {
    await using node = await StuckNode.start();
    expect((await post(node.app, '?lanes=delayed')).status).toBe(202);
  });

  it('a closed bus is reported as 503, too', async () => {
    await using app = await TriggerApp.start();
    await app.bus.close();
    expect(await post(app, '', 'closed')).toMatchObject({ status: 503, code: 'bus_closed', retryAfter: '1' });
    expect(await app.delayed()).toEqual([]);
  });

  it('a request that gets no reply from the lane is refused in time, and undone when the lane fails later', async () => {
    let bus: BlockableBus | undefined;
    const { answerTimeoutMs } = triggerOptions.parse({});
    await using app = await TriggerApp.start({
      trigger: { answerTimeoutMs },
      wrapBus: (inner) => (bus = new BlockableBus(inner)),
    });
    const blocked = gate();
    if (bus) bus.before = blocked.pass;
    const outcome = await post(app, '', 'silent');
    expect(outcome).toMatchObject({ status: 503, code: 'broker_unavailable' });
    expect(outcome.tookMs).toBeLessThan(2000);
    blocked.fail(new Error('connection lost'));
    await app.settled();
    expect(await app.delayed()).toEqual([]);
  });
});

describe('when an attempt has not ended by the time that it may take', () => {
  it('its retry takes over, and the delay starts again', async () => {
    let bus: BlockableBus | undefined;
    await using app = await TriggerApp.start({
      trigger: { answerTimeoutMs: 300 },
      wrapBus: (inner) => (bus = new BlockableBus(inner)),
    });
    await app.consume();
    const stalled = gate();
    if (bus) bus.before = stalled.pass;
    expect((await post(app, '?delay=PT1M', 'stall')).status).toBe(503);
    const [left] = await app.delayed();
    if (bus) bus.before = async () => {};

    let retriedAt = 0;
    let done: Outcome;
    do {
      retriedAt = Date.now();
      done = await post(app, '?delay=PT1M', 'stall');
    } while (done.status === 503);
    expect(done).toMatchObject({ status: 202, replayed: false });
    const [delayed, ...others] = await app.delayed();
    expect(others).toEqual([]);
    expect(delayed?.id).toBe(done.ids[1]);
    expect(delayed?.id).not.toBe(left?.id);
    expect(delayed?.dueAt).toBeGreaterThanOrEqual(retriedAt + 60_000);
    // The first attempt cancels no copy but its own.
    stalled.fail(new Error('connection lost'));
    await app.settled();
    expect(idsOf(await app.delayed())).toEqual([done.ids[1]]);
    expect(idsOf(await app.instant())).toEqual([done.ids[0]]);
  });
});

describe('when the delayed lane is down', () => {
  it('nothing is published', async () => {
    await using app = await TriggerApp.start();
    await app.consume();
    await app.stores.schedule.close();
    for (const key of [undefined, 'key'])
      expect(await post(app, '', key)).toMatchObject({ status: 503, retryAfter: '1' });
    expect(await app.instant()).toEqual([]);
    expect((await post(app, '?lanes=instant')).status).toBe(202);
  });
});

describe('when the delayed lane is full', () => {
  it('nothing is published', async () => {
    await using app = await TriggerApp.start({ stores: await openStores({ maxPendingMessages: 1 }) });
    await app.consume();
    expect((await post(app, '?lanes=delayed&delay=PT1H')).status).toBe(202);
    const refusal = { status: 503, code: 'schedule_full', retryAfter: '60' };
    for (const key of [undefined, 'key']) expect(await post(app, '', key)).toMatchObject(refusal);
    expect(await app.instant()).toEqual([]);
    expect((await post(app, '?lanes=instant')).status).toBe(202);
  });
});

describe('when the idempotency store is down', () => {
  it('a request with a key is refused before anything is done, and a request without a key is accepted', async () => {
    await using app = await TriggerApp.start();
    await app.consume();
    await app.stores.idempotency.close();
    expect((await post(app, '', 'key')).status).toBe(503);
    expect(await app.instant()).toEqual([]);
    expect(await app.delayed()).toEqual([]);
    expect((await post(app, '')).status).toBe(202);
  });
});

describe('two nodes with one key', () => {
  it('return one result if one fails while the other has just published', async () => {
    const stores = await openStores();
    let bus: BlockableBus | undefined;
    await using failing = await StuckNode.start({ stores });
    await using working = await TriggerApp.start({
      stores,
      wrapBus: (inner) => (bus = new BlockableBus(inner)),
    });
    await working.consume();
    const published = gate();
    if (bus) bus.after = published.pass;

    const success = post(working, '', 'both');
    await published.reached;
    const first = idsOf(await working.delayed());
    // Cancels the delayed copy that the other node has added.
    expect((await post(failing.app, '', 'both')).status).toBe(503);
    expect(await working.delayed()).toEqual([]);
    published.open();

    const done = await success;
    expect(done.status).toBe(202);
    expect(idsOf(await working.delayed())).toEqual([done.ids[1]]);
    expect(first).not.toContain(done.ids[1]);
    // The instant copy is queued twice under one id. The second one is dropped before it reaches a client.
    expect(new Set(idsOf(await working.instant()))).toEqual(new Set([done.ids[0]]));
    expect(await post(failing.app, '', 'both')).toMatchObject({ status: 202, replayed: true, ids: done.ids });
  });

  it('return one result if one fails after the other was accepted', async () => {
    const stores = await openStores();
    let bus: BlockableBus | undefined;
    await using slow = await TriggerApp.start({
      stores,
      trigger: { answerTimeoutMs: 100 },
      wrapBus: (inner) => (bus = new BlockableBus(inner)),
    });
    await using working = await TriggerApp.start({ stores });
    const stuck = gate();
    if (bus) bus.before = stuck.pass;
    expect((await post(slow, '', 'late')).status).toBe(503);
    const done = await post(working, '', 'late');
    expect(done.status).toBe(202);
    stuck.fail(new Error('connection lost'));
    await slow.settled();
    expect(idsOf(await working.delayed())).toEqual([done.ids[1]]);
  });

  it('create one copy in each lane, whatever the order of events', async () => {
    const stores = await openStores();
    await using failing = await StuckNode.start({ stores });
    await using working = await TriggerApp.start({ stores });
    await working.consume();
    const keys = Array.from({ length: 40 }, (_, i) => `race-${i}`);
    const expected: string[][] = [];
    await Promise.all(
      keys.map(async (key) => {
        const nodes = [failing.app, working, failing.app, working, failing.app];
        const outcomes = await Promise.all(nodes.map((app) => post(app, '', key)));
        // A client that was refused retries, as the documentation says.
        const done = await post(working, '', key);
        for (const { status, ids } of outcomes)
          expect([
            { status: 202, ids: done.ids },
            { status: 503, ids: [] },
          ]).toContainEqual({ status, ids });
        expected.push([...done.ids]);
      }),
    );
    const instant = idsOf(await working.instant());
    expect(new Set(instant)).toEqual(new Set(expected.map(([id]) => id)));
    const delayed = idsOf(await working.delayed());
    expect(delayed).toHaveLength(keys.length);
    expect(new Set(delayed)).toEqual(new Set(expected.map(([, id]) => id)));
  });
});
