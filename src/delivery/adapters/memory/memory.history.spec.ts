import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { Publication, type StreamPosition } from '../../publications/publication.js';
import { LocalFanout } from './local.fanout.js';
import { MemoryHistory, type MemoryHistoryOptions } from './memory.history.js';

const roomy: MemoryHistoryOptions = { maxBytes: 1_000_000, maxChannels: 1_000, maxKeys: 1_000 };
const kept = { size: 3, ttlMs: 10_000, metaTtlMs: 60_000 };

function publication(channel: string, data: Buffer | string): Publication {
  return new Publication({ channel, data: Buffer.from(data), format: 'json', createdAt: 0, lane: 'direct' });
}

describe('MemoryHistory', () => {
  let now: number;
  let histories: MemoryHistory[];
  let sent: Publication[];
  const open = (options: Partial<MemoryHistoryOptions> = {}) => {
    const fanout = new LocalFanout((arrived) => void sent.push(arrived));
    const history = new MemoryHistory(fanout, { ...roomy, now: () => now, ...options });
    histories.push(history);
    return history;
  };

  beforeEach(() => {
    now = 1_000_000;
    histories = [];
    sent = [];
  });
  afterEach(async () => void (await Promise.all(histories.map((history) => history.close()))));

  it('has passed the publication on when it returns', () => {
    void open().publish(publication('a', '1'), { history: kept });
    expect(sent.map(({ offset }) => offset)).toEqual([1]);
  });

  it('removes the least recently used channels if there are too many', async () => {
    const history = open({ maxChannels: 2 });
    for (const channel of ['a', 'b', 'a', 'c'])
      await history.publish(publication(channel, '1'), { history: kept });
    expect(history.usage.channels).toBe(2);
    const position = await history.read('a', { limit: 0, metaTtlMs: 60_000 });
    expect(position.offset).toBe(2);
    expect((await history.read('b', { limit: 0, metaTtlMs: 60_000 })).offset).toBe(0);
  });

  it('stays within its maximum bytes, but keeps the newest publication', async () => {
    const history = open({ maxBytes: 5_000 });
    for (const channel of ['a', 'b', 'c', 'd'])
      await history.publish(publication(channel, Buffer.alloc(2_000)), { history: kept });
    expect(history.usage).toMatchObject({ channels: 2, bytes: 4_600 });
    for (let n = 0; n < 3; n++)
      await history.publish(publication('d', Buffer.alloc(4_000)), { history: kept });
    await history.publish(publication('d', Buffer.alloc(9_000)), { history: kept });
    const page = await history.read('d', { limit: -1, metaTtlMs: 60_000 });
    expect(page.publications.map(({ offset }) => offset)).toEqual([5]);
    expect(history.usage).toEqual({ channels: 1, bytes: 9_300, keys: 0, deadlines: 1 });
  });

  it('remembers a maximum number of idempotency keys', async () => {
    const history = open({ maxKeys: 2 });
    for (const key of ['a', 'b', 'c', 'a'])
      await history.publish(publication('x', '1'), { idempotency: { key, ttlMs: 60_000 } });
    expect(history.usage.keys).toBe(2);
    expect(sent).toHaveLength(4);
  });

  it('does not keep a large buffer in memory for a small part of it', async () => {
    const history = open();
    const batch = Buffer.alloc(1_000_000, '1');
    await history.publish(
      new Publication({
        channel: 'a',
        data: batch.subarray(0, 10),
        format: 'json',
        createdAt: 0,
        lane: 'direct',
      }),
      { history: kept },
    );
    const { publications } = await history.read('a', { limit: -1, metaTtlMs: 60_000 });
    expect(publications[0]!.data.buffer.byteLength).toBe(10);
  });

  it('frees memory without being called', async () => {
    jest.useFakeTimers();
    const history = open({ now: Date.now });
    for (const channel of ['a', 'b'])
      await history.publish(publication(channel, '1'), { history: { ...kept, metaTtlMs: 30_000 } });
    await history.publish(publication('c', '1'), { history: kept });
    jest.advanceTimersByTime(9_000);
    expect(history.usage).toMatchObject({ channels: 3, bytes: 903 });
    await history.publish(publication('a', '1'), { history: kept });
    jest.advanceTimersByTime(3_000);
    expect(history.usage).toMatchObject({ channels: 3, bytes: 602 });
    jest.advanceTimersByTime(20_000);
    expect(history.usage).toMatchObject({ channels: 2, bytes: 0 });
    jest.advanceTimersByTime(60_000);
    expect(history.usage).toMatchObject({ channels: 0, bytes: 0 });
    jest.useRealTimers();
  });

  it('has one deadline for each channel, and none for a removed one', async () => {
    const history = open({ maxChannels: 2 });
    jest.useFakeTimers();
    try {
      const swept = open({ maxChannels: 2 });
      for (let round = 0; round < 10; round++) {
        await swept.publish(publication('quiet', '1'), { history: kept });
        now += kept.ttlMs + 2_000;
        jest.advanceTimersByTime(1_000);
      }
      expect(swept.usage).toMatchObject({ channels: 1, bytes: 0, deadlines: 1 });
    } finally {
      jest.useRealTimers();
    }
    for (let n = 0; n < 10; n++) await history.read(`${n}`, { limit: 0, metaTtlMs: 60_000 });
    expect(history.usage).toMatchObject({ channels: 2, deadlines: 2 });
  });

  it('behaves like its model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const history = open();
        const model = new Model();
        const epochs = new Map<string, string>();
        const label = ({ offset, epoch }: StreamPosition) => {
          epochs.set(epoch, epochs.get(epoch) ?? `epoch ${epochs.size}`);
          return { offset, epoch: epochs.get(epoch) };
        };
        const apply = {
          remove: async ({ channel }: Operation) => {
            await history.remove(channel);
            return [undefined, model.remove(channel, now)];
          },
          read: async ({ channel, limit, since, reverse }: Operation) => {
            const from = since === undefined ? {} : { since: { offset: since, epoch: '' } };
            const page = await history.read(channel, { limit, reverse, metaTtlMs: kept.metaTtlMs, ...from });
            const offsets = page.publications.map(({ offset }) => offset);
            return [{ ...label(page), offsets }, model.read(channel, now, { limit, since, reverse })];
          },
          publish: async ({ channel, size, key, version }: Operation) => {
            const position = await history.publish(publication(channel, '1'), {
              history: { ...kept, size },
              ...(key === undefined ? {} : { idempotency: { key, ttlMs: 5_000 } }),
              ...(version === undefined ? {} : { version: { number: version, epoch: '' } }),
            });
            return [label(position!), model.publish(channel, now, { size, key, version })];
          },
        };
        for (const each of operations) {
          now += each.waitMs;
          const [actual, expected] = await apply[each.kind](each);
          expect(actual).toEqual(expected);
        }
        await history.close();
      }),
      { numRuns: 300 },
    );
  });
});

const operation = fc.record({
  kind: fc.constantFrom('publish' as const, 'publish' as const, 'read' as const, 'remove' as const),
  channel: fc.constantFrom('a', 'b'),
  key: fc.option(fc.constantFrom('k', 'l'), { nil: undefined, freq: 2 }),
  version: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 2 }),
  size: fc.constantFrom(1, 3, 50),
  limit: fc.constantFrom(-1, 0, 1, 2),
  since: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  reverse: fc.boolean(),
  waitMs: fc.constantFrom(0, 0, 0, 100, 4_000, 9_999, 10_000, 60_000),
});

type Operation = typeof operation extends fc.Arbitrary<infer Each> ? Each : never;

interface ModelChannel {
  readonly epoch: string;
  top: number;
  offsets: number[];
  version: number;
  keptUntil: number;
  until: number;
}

/** The simplest implementation: it checks all expiry times at each call. */
class Model {
  #epochs = 0;
  readonly #channels = new Map<string, ModelChannel>();
  readonly #results = new Map<string, { position: object; until: number }>();

  publish(
    name: string,
    now: number,
    { size, key, version }: { size: number; key: string | undefined; version: number | undefined },
  ) {
    const result = this.#results.get(`${name} ${key}`);
    if (key !== undefined && result !== undefined && result.until > now) return result.position;
    const channel = this.#use(name, now);
    if (version === undefined || version > channel.version) {
      channel.version = version ?? channel.version;
      channel.offsets = [...channel.offsets, ++channel.top].slice(-size);
      channel.keptUntil = now + kept.ttlMs;
    }
    const position = { offset: channel.top, epoch: channel.epoch };
    if (key !== undefined) this.#results.set(`${name} ${key}`, { position, until: now + 5_000 });
    return position;
  }

  read(name: string, now: number, query: { limit: number; since: number | undefined; reverse: boolean }) {
    const { limit, since, reverse } = query;
    const { top, epoch, offsets } = this.#use(name, now);
    let found = offsets;
    if (since !== undefined) {
      found = offsets.filter((offset) => (reverse ? offset < since && since <= top + 1 : offset > since));
    }
    if (reverse) found = found.toReversed();
    return { offset: top, epoch, offsets: limit < 0 ? found : found.slice(0, limit) };
  }

  remove(name: string, now: number): void {
    const channel = this.#channels.get(name);
    if (channel !== undefined && channel.until > now) channel.offsets = [];
  }

  #use(name: string, now: number): ModelChannel {
    let channel = this.#channels.get(name);
    if (channel === undefined || channel.until <= now) {
      channel = { epoch: `epoch ${this.#epochs++}`, top: 0, offsets: [], version: 0, keptUntil: 0, until: 0 };
      this.#channels.set(name, channel);
    }
    if (channel.keptUntil <= now) channel.offsets = [];
    channel.until = now + kept.metaTtlMs;
    return channel;
  }
}
