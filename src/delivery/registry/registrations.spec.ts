import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryRegistry } from '../adapters/memory/memory.registry.js';
import { BrokerUnavailableError } from '../../bus/index.js';
import { Registrations, type CleanupResult } from './registrations.js';
import type { RegisteredConnection, Registry } from './registry.port.js';

const LEASE_MS = 10_000;
const details = Buffer.from('{}');
const connection = (id: string) => ({ id, route: 'chat', connectedAt: 1, details });

/** Rejects calls of some methods, before or after they are carried out. */
class Faults {
  readonly before = new Set<keyof Registry>();
  readonly after = new Set<keyof Registry>();

  readonly #held = new Map<keyof Registry, Promise<void>>();

  /** Delays the answers of a method until the result is resolved. */
  hold(name: keyof Registry): PromiseWithResolvers<void> {
    const release = Promise.withResolvers<void>();
    this.#held.set(name, release.promise);
    return release;
  }

  wrap(registry: Registry): Registry {
    return new Proxy(registry, {
      get:
        (target, name: keyof Registry) =>
        async (...args: never[]) => {
          if (this.before.has(name)) throw new BrokerUnavailableError('redis', 'it is away');
          const result = await (target[name] as (...args: never[]) => Promise<unknown>).apply(target, args);
          await this.#held.get(name);
          if (this.after.has(name)) throw new BrokerUnavailableError('redis', 'no answer');
          return result;
        },
    });
  }
}

describe('Registrations', () => {
  let store: MemoryRegistry;
  let opened: Registrations[];

  const open = async (node: string, concurrency = 10) => {
    const faults = new Faults();
    const results: CleanupResult[] = [];
    const registrations = new Registrations(faults.wrap(store), {
      node,
      leaseMs: LEASE_MS,
      concurrency,
      giveUpAfterMs: 60_000,
      onCleanup: (result) => void results.push(result),
    });
    const cleaned: string[] = [];
    const state = { faults, results, registrations, cleaned, lost: 0, running: 0, most: 0 };
    const handling = { cleanUp: async (_connection: RegisteredConnection): Promise<void> => {} };
    await registrations.start({
      cleanUp: async (each) => {
        state.most = Math.max(state.most, ++state.running);
        await handling.cleanUp(each).finally(() => state.running--);
        cleaned.push(each.id);
      },
      onLost: () => void state.lost++,
    });
    opened.push(registrations);
    return Object.assign(state, { handling });
  };
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
  /** As if the process had been killed. */
  const kill = ({ faults }: { faults: Faults }) => {
    for (const name of ['renew', 'claim', 'claimOrphans', 'unfinished', 'remove', 'release'] as const)
      faults.before.add(name);
  };

  beforeEach(() => {
    jest.useFakeTimers();
    store = new MemoryRegistry();
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((each) => each.close()));
    jest.useRealTimers();
  });

  it('clean up a connection once when it ends', async () => {
    const a = await open('a');
    const b = await open('b');
    await a.registrations.add(connection('1'));
    expect(await b.registrations.find('1')).toEqual({ ...connection('1'), node: 'a' });
    a.registrations.end(connection('1'));
    a.registrations.end(connection('1'));
    await pass(60_000);
    expect([a.cleaned, b.cleaned, await b.registrations.count()]).toEqual([['1'], [], 0]);
    expect(await store.unfinished('a', 10)).toEqual([]);
  });

  it('clean up after a node that died, when its lease has ended, each connection once', async () => {
    const a = await open('a');
    const survivors = [await open('b', 3), await open('c', 3)];
    const ids = Array.from({ length: 50 }, (_, number) => `${number}`);
    for (const id of ids) await a.registrations.add(connection(id));
    kill(a);
    await pass(LEASE_MS - 3_000);
    expect(survivors.flatMap(({ cleaned }) => cleaned)).toEqual([]);
    await pass(30_000);
    expect(survivors.flatMap(({ cleaned }) => cleaned).toSorted()).toEqual(ids.toSorted());
    expect(survivors.every(({ most }) => most <= 3)).toBe(true);
    expect(await store.count()).toBe(0);
  });

  it('repeat what a node was cleaning up when it died', async () => {
    const a = await open('a');
    const b = await open('b');
    await a.registrations.add(connection('1'));
    a.handling.cleanUp = () => new Promise(() => {});
    a.registrations.end(connection('1'));
    await pass(1_000);
    kill(a);
    opened.splice(opened.indexOf(a.registrations), 1);
    await pass(30_000);
    expect(b.cleaned).toEqual(['1']);
  });

  it('tell a node that was silent for too long, and clean up for it', async () => {
    const a = await open('a');
    const b = await open('b');
    await a.registrations.add(connection('1'));
    kill(a);
    await pass(2 * LEASE_MS);
    expect([b.cleaned, a.lost]).toEqual([['1'], 0]);
    a.faults.before.clear();
    await pass(LEASE_MS);
    a.registrations.end(connection('1'));
    await pass(5_000);
    expect([a.lost, a.cleaned]).toEqual([1, []]);
    await a.registrations.add(connection('2'));
    expect(await b.registrations.count()).toBe(1);
  });

  it('repeat a cleanup that fails, with growing pauses, and give it up in the end', async () => {
    const a = await open('a');
    for (const id of ['1', '2']) await a.registrations.add(connection(id));
    let failures = 3;
    a.handling.cleanUp = async ({ id }) => {
      if (id === '1' || failures-- > 0) throw new Error('the backend is down');
    };
    for (const id of ['1', '2']) a.registrations.end(connection(id));
    await pass(20_000);
    expect(a.cleaned).toEqual(['2']);
    expect(a.results.filter((result) => result === 'failed').length).toBeLessThan(12);
    await pass(200_000);
    expect(a.results.filter((result) => result === 'given_up')).toHaveLength(1);
    expect(await store.unfinished('a', 10)).toEqual([]);
  });

  it('clean up later if the store is away when a connection ends', async () => {
    const a = await open('a');
    await a.registrations.add(connection('1'));
    a.faults.before.add('claim');
    a.registrations.end(connection('1'));
    await pass(5_000);
    expect(a.cleaned).toEqual([]);
    a.faults.before.clear();
    await pass(2_000);
    expect(a.cleaned).toEqual(['1']);
  });

  it('do not repeat a cleanup that the store did not hear of', async () => {
    const a = await open('a');
    await a.registrations.add(connection('1'));
    a.faults.before.add('remove');
    a.registrations.end(connection('1'));
    await pass(5_000);
    expect(await store.unfinished('a', 10)).toHaveLength(1);
    a.faults.before.clear();
    await pass(5_000);
    expect([a.cleaned, await store.unfinished('a', 10)]).toEqual([['1'], []]);
  });

  it('do not repeat a cleanup because of an answer that is older than it', async () => {
    const a = await open('a');
    await a.registrations.add(connection('1'));
    const held = Promise.withResolvers<void>();
    a.handling.cleanUp = () => held.promise;
    a.registrations.end(connection('1'));
    await pass(0);
    const late = a.faults.hold('unfinished');
    a.faults.after.add('claimOrphans');
    await pass(1_000);
    a.faults.after.clear();
    await pass(1_000);
    held.resolve();
    await pass(0);
    expect([a.cleaned, await store.unfinished('a', 10)]).toEqual([['1'], []]);
    late.resolve();
    await pass(5_000);
    expect(a.cleaned).toEqual(['1']);
  });

  it('clean up what was claimed although the answer of the store was lost', async () => {
    const a = await open('a');
    const b = await open('b');
    await a.registrations.add(connection('1'));
    await a.registrations.close();
    b.faults.after.add('claimOrphans');
    await pass(2_000);
    b.faults.after.clear();
    await pass(3_000);
    expect(b.cleaned).toEqual(['1']);
  });

  it('run a bounded number of cleanups, and finish them all', async () => {
    const a = await open('a', 5);
    const ids = Array.from({ length: 100 }, (_, number) => `${number}`);
    for (const id of ids) await a.registrations.add(connection(id));
    a.handling.cleanUp = () => new Promise((resolve) => setTimeout(resolve, 100));
    for (const id of ids) a.registrations.end(connection(id));
    // 20 rounds of 100 ms each.
    await pass(3_500);
    expect([a.most, a.cleaned.toSorted()]).toEqual([5, ids.toSorted()]);
  });

  it('wait for running cleanups when they are closed, and leave the rest to others at once', async () => {
    const a = await open('a', 1);
    const b = await open('b');
    for (const id of ['1', '2']) await a.registrations.add(connection(id));
    const held = Promise.withResolvers<void>();
    a.handling.cleanUp = () => held.promise;
    a.registrations.end(connection('1'));
    await pass(0);
    const closing = a.registrations.close();
    held.resolve();
    await closing;
    await pass(2_000);
    expect([a.cleaned, b.cleaned]).toEqual([['1'], ['2']]);
  });
});
