import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerStatus } from '../../metrics/index.js';
import { MemoryBus } from '../adapters/memory/memory.bus.js';
import { memoryBusOptions } from '../adapters/memory/memory.options.js';
import { SqliteIdempotency } from '../adapters/sqlite/sqlite.idempotency.js';
import { BrokerUnavailableError, RecordRefusedError } from '../bus.errors.js';
import { busOptions } from '../bus.options.js';
import { Buses } from '../buses.js';
import type { ReceivedRecord } from '../../message/index.js';
import { EmitKeyReusedError } from './consumer.errors.js';
import { toReceivedEvent } from './event-record.js';
import { Events } from './events.js';

describe('Events', () => {
  let now: number;
  let bus: MemoryBus;
  let idempotency: SqliteIdempotency;
  let events: Events;
  let held: ReceivedRecord[];
  let taken: PromiseWithResolvers<void>;

  beforeEach(async () => {
    now = Date.now();
    held = [];
    taken = Promise.withResolvers();
    const status = new BrokerStatus('test');
    // One unacknowledged record fills the topic.
    const memory = memoryBusOptions.parse({ partitions: 1, maxPendingRecords: 1, drainTimeoutMs: 0 });
    bus = new MemoryBus(memory, status);
    const clock = { now: () => now };
    idempotency = await SqliteIdempotency.open({ path: ':memory:', synchronous: 'normal', ...clock }, status);
    events = new Events(new Buses(busOptions.parse({}), async () => bus), idempotency, 1_000);
  });
  afterEach(async () => {
    await bus.close();
    await idempotency.close();
  });

  /** Subscribes with a handler that does not finish until `taken` is resolved, so that one record fills the topic. */
  const hold = () =>
    bus.subscribe({ topics: ['t'], group: 'g' }, async (records) => {
      held.push(...records);
      await taken.promise;
    });
  const one = { event: 'e', payload: 1 };

  it('rejects if the send fails, and sends the same ids in a retry', async () => {
    await hold();
    const options = { idempotencyKey: 'k' };
    await events.emit('t', one);
    await expect(events.emit('t', { event: 'e', payload: 2 }, options)).rejects.toBeInstanceOf(
      BrokerUnavailableError,
    );
    await expect(events.emit('t', { event: 'e', payload: 2 })).rejects.toBeInstanceOf(BrokerUnavailableError);
    taken.resolve();
    await someTurns();
    const { ids, replayed } = await events.emit('t', { event: 'e', payload: 2 }, options);
    expect(replayed).toBe(false);
    expect(await events.emit('t', { event: 'e', payload: 2 }, options)).toEqual({ ids, replayed: true });
    await someTurns();
    expect(
      held.map((record) => toReceivedEvent(record, 'memory')).map(({ id, payload }) => [payload, id]),
    ).toEqual([
      [1, expect.any(String)],
      [2, ids[0]],
    ]);
  });

  it('sends once, although the key is used several times at the same moment', async () => {
    await hold();
    const emitted = await Promise.all(
      Array.from({ length: 5 }, () => events.emit('t', one, { idempotencyKey: 'k' })),
    );
    expect(new Set(emitted.map(({ ids }) => ids[0])).size).toBe(1);
    expect(emitted.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('forgets a key after its window, and separates the keys of topics', async () => {
    const options = { idempotencyKey: 'k' };
    const first = await events.emit('t', one, options);
    expect((await events.emit('u', one, options)).replayed).toBe(false);
    now += 999;
    expect((await events.emit('t', one, options)).replayed).toBe(true);
    now += 2;
    const second = await events.emit('t', one, options);
    expect(second.replayed).toBe(false);
    expect(second.ids).not.toEqual(first.ids);
    now += 1_500;
    expect((await events.emit('t', one, { ...options, idempotencyWindowMs: 1 })).replayed).toBe(false);
  });

  it.each([
    [{ ...one, payload: 2 }],
    [{ ...one, event: 'f' }],
    [{ ...one, key: 'x' }],
    [{ ...one, headers: { a: '1' } }],
    [[one, one]],
  ])('refuses a key that was used for other events: %j', async (other) => {
    await events.emit('t', one, { idempotencyKey: 'k' });
    await expect(events.emit('t', other, { idempotencyKey: 'k' })).rejects.toBeInstanceOf(EmitKeyReusedError);
  });

  it.each([
    [{ event: '', payload: 1 }],
    [{ event: 'e', payload: undefined }],
    [{ event: 'e', payload: () => {} }],
    [{ event: 'e', payload: 1n }],
    [{ event: 'e', payload: 1, headers: { 'Carillon-Id': 'mine' } }],
  ])('refuses an invalid event: %p', async (event) => {
    await expect(events.emit('t', event)).rejects.toBeInstanceOf(RecordRefusedError);
  });
});

describe('toReceivedEvent', () => {
  const record: ReceivedRecord = {
    topic: 'orders',
    partition: 1,
    position: '5',
    headers: {},
    value: Buffer.from('{"a":1}'),
    publishedAt: 1_700_000_000_000,
    attempt: 1,
  };

  it('decodes a record of another program as an event with the name of its topic', () => {
    const event = toReceivedEvent(record, 'kafka');
    expect(event).toMatchObject({ event: 'orders', payload: { a: 1 }, createdAt: record.publishedAt });
    expect(toReceivedEvent(record, 'kafka', 3).id).toBe(event.id);
    const bytes = Buffer.from([0xff]);
    expect(toReceivedEvent({ ...record, value: bytes }, 'kafka').payload).toBe(bytes);
  });

  it('returns the headers without the reserved ones', () => {
    const headers = { 'carillon-event': 'e', 'carillon-id': 'x', region: 'eu', traceparent: 't' };
    expect(toReceivedEvent({ ...record, headers }, 'kafka')).toMatchObject({
      id: 'x',
      event: 'e',
      headers: { region: 'eu', traceparent: 't' },
    });
  });

  it.each([
    [{ 'carillon-version': '2' }, '{}', /carillon-version/],
    [{ 'carillon-version': '1' }, '{', /not JSON/],
    [{ 'carillon-event': 'e' }, '{', /not JSON/],
    [{ 'carillon-version': '1', 'carillon-format': 'json' }, '\xff', /not JSON/],
  ])('cannot decode a record with headers %j and body %s', (headers, body, reason) => {
    const value = Buffer.from(body, 'latin1');
    expect(() => toReceivedEvent({ ...record, headers, value }, 'kafka')).toThrow(reason);
  });
});

/** Waits for work of this process that needs no I/O. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
