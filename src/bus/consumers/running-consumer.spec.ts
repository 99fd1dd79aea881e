import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Injectable, Module, Scope, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { register } from 'prom-client';
import { EventLog } from '../../../test/support/event-log.js';
import { BrokerUnavailableError } from '../bus.errors.js';
import { BusModule } from '../bus.module.js';
import type { BusOptionsInput } from '../bus.options.js';
import { Buses } from '../buses.js';
import { RetryStore } from '../retries/retry-store.port.js';
import type { ConsumerDescription, EventContext } from './consumer.js';
import { ModuleConsumer, ModuleHandler } from './consumer.decorators.js';
import { ConsumerRegistry } from './consumer-registry.js';
import { ConsumerSource, type ConsumerWatch } from './consumer-source.js';
import { Events } from './events.js';
import { takeUncaughtError } from './user-code.js';

const describedAs = { module: 'm', consumer: 'c', topics: ['t'] };

describe('A running consumer', () => {
  let handled: EventLog<unknown>;
  let failing: Set<unknown>;
  let application: TestingModule;

  beforeEach(() => {
    register.clear();
    handled = new EventLog();
    failing = new Set();
  });
  afterEach(() => application.close());

  const start = async (bus: BusOptionsInput, ...providers: Type[]) => {
    application = await Test.createTestingModule({
      imports: [BusModule.forRoot({ drivers: { sqlite: { directory: ':memory:' } }, ...bus })],
      providers,
    })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    await application.init();
  };
  const handle = (_consumer: string, _event: string, payload: unknown, _context: EventContext): void => {
    if (failing.has(payload)) throw new Error('not now');
    handled.add(payload);
  };
  const consumer = (more: Partial<ConsumerDescription> = {}) =>
    application.get(ConsumerRegistry).add({ ...describedAs, ...more }, { takes: 'one', handle });
  const emit = (...payloads: unknown[]) =>
    application.get(Events).emit(
      't',
      payloads.map((payload) => ({ event: 'e', payload, key: 'k' })),
    );

  it('pauses at the largest number of waiting records, and continues when there is room', async () => {
    await start({});
    failing.add('a').add('b').add('c');
    await consumer({ maxWaiting: 2, batchSize: 1, retryInitialMs: 20, retryMaxMs: 20, maxAttempts: 1_000 });
    await emit('a', 'b', 'c', 'd');
    const lag = async () =>
      (await (await application.get(Buses).shared()).lag('m-c', ['t'])).map(({ records }) => records);
    while (Math.max(...(await lag())) > 2) await new Promise((resolve) => setImmediate(resolve));
    // There is no room for `c`, so `d` is not taken.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(Math.max(...(await lag()))).toBe(2);
    expect(handled.entries).toEqual([]);
    failing.clear();
    await handled.atLeast(4);
    expect(handled.entries.map(String).toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('pauses while the store is unavailable, and handles no event twice because of it', async () => {
    await start({});
    const retryStore = application.get(RetryStore);
    const refused = new EventLog<void>();
    const add = retryStore.add.bind(retryStore);
    retryStore.add = async () => {
      refused.add();
      throw new BrokerUnavailableError('the store', 'away');
    };
    failing.add('bad');
    await consumer({ retryInitialMs: 10, batchSize: 10 });
    await emit('good', 'bad', 'next');
    await refused.atLeast(2);
    expect(handled.entries).toEqual(['good', 'next']);
    retryStore.add = add;
    failing.clear();
    await emit('later');
    await handled.atLeast(4);
    expect(handled.entries.map(String).toSorted()).toEqual(['bad', 'good', 'later', 'next']);
  });

  it('limits the number of batches in an interval', async () => {
    await start({});
    const takenAt: number[] = [];
    await application.get(ConsumerRegistry).add(
      { ...describedAs, takeEveryMs: 60, batchSize: 2 },
      {
        takes: 'batch',
        handle: (_consumer, events) => {
          takenAt.push(performance.now());
          for (const { payload } of events) handled.add(payload);
        },
      },
    );
    await emit(1, 2, 3, 4, 5);
    await handled.atLeast(5);
    const pauses = takenAt.slice(1).map((at, index) => at - (takenAt[index] ?? 0));
    expect(pauses).toHaveLength(2);
    for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(55);
  });

  it('starts again after it could not start', async () => {
    await start({});
    const buses = application.get(Buses);
    const forConsumer = buses.forConsumer.bind(buses);
    let refusals = 2;
    buses.forConsumer = async (...args) => {
      if (refusals-- > 0) throw new BrokerUnavailableError('kafka', 'away');
      return forConsumer(...args);
    };
    await consumer({ restartDelayMs: 10 });
    const registry = application.get(ConsumerRegistry);
    expect(registry.list().map(({ state }) => state)).toEqual(['waiting to restart']);
    await emit('x');
    await handled.atLeast(1);
    expect(registry.list().map(({ state }) => state)).toEqual(['running']);
    expect(refusals).toBeLessThan(0);
  });

  it('is restarted after its code failed outside a call, and says so', async () => {
    await start({});
    const taken = new EventLog<boolean>();
    await application.get(ConsumerRegistry).add(
      { ...describedAs, restartDelayMs: 20 },
      {
        takes: 'one',
        handle: (_consumer, _event, payload) => {
          // What an application does in its listener for uncaught errors.
          if (payload === 'bad') setTimeout(() => taken.add(takeUncaughtError(new Error('late'))), 1);
          else handled.add(payload);
        },
      },
    );
    await emit('bad');
    await taken.atLeast(1);
    expect(taken.entries).toEqual([true]);
    const registry = application.get(ConsumerRegistry);
    await emit('next');
    await handled.atLeast(1);
    while (registry.list()[0]?.state !== 'running') await new Promise((resolve) => setImmediate(resolve));
    expect(registry.list()).toMatchObject([{ state: 'running', failures: 1 }]);
    expect(takeUncaughtError(new Error('of the application'))).toBe(false);
  });

  it('is refused if its name exists, and can be replaced', async () => {
    await start({});
    await consumer();
    await expect(consumer()).rejects.toMatchObject({ code: 'consumer_refused' });
    const registry = application.get(ConsumerRegistry);
    const [first] = registry.running();
    await registry.put(describedAs, { takes: 'one', handle });
    await registry.put({ ...describedAs, topics: ['t', 'u'] }, { takes: 'one', handle });
    const [second] = registry.running();
    expect(second).not.toBe(first);
    expect(first?.state).toBe('stopped');
    expect(await registry.remove(describedAs)).toBe(true);
    expect(await registry.remove(describedAs)).toBe(false);
    expect(registry.list()).toEqual([]);
  });

  it('is not replaced by an equal consumer', async () => {
    await start({});
    await consumer();
    const registry = application.get(ConsumerRegistry);
    const [first] = registry.running();
    const sameHandler = first?.consumer.handler;
    if (sameHandler !== undefined) await registry.put({ ...describedAs }, sameHandler);
    expect([...registry.running()]).toEqual([first]);
  });
});

describe('Discovery', () => {
  let applications: TestingModule[];

  beforeEach(() => {
    register.clear();
    applications = [];
  });
  afterEach(() => Promise.all(applications.map((application) => application.close())));

  const start = async (...providers: Type[]) => {
    @Module({ providers })
    class Feature {}
    const application = await Test.createTestingModule({
      imports: [BusModule.forRoot({ drivers: { sqlite: { directory: ':memory:' } } }), Feature],
    })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    applications.push(application);
    await application.init();
    return application;
  };

  it('calls the hooks before the consumers start', async () => {
    const order: string[] = [];
    @Injectable()
    class Preparation {
      async beforeConsumersStart(consumers: readonly ConsumerDescription[]): Promise<void> {
        await Promise.resolve();
        order.push(`before ${consumers.map(({ consumer }) => consumer).join()}`);
      }
    }
    @Injectable()
    @ModuleConsumer({ module: 'm', consumer: 'c', topics: ['t'] })
    class Consumer {
      handle(): void {}
    }
    @Injectable()
    class Source extends ConsumerSource {
      async watch(): Promise<ConsumerWatch> {
        order.push('source');
        return { close: async () => void order.push('closed') };
      }
    }
    const running = await start(Preparation, Consumer, Source);
    expect(order).toEqual(['before c', 'source']);
    expect(running.get(ConsumerRegistry).list()).toHaveLength(1);
    await running.close();
    expect(order).toEqual(['before c', 'source', 'closed']);
  });

  it('fails to start if a hook fails', async () => {
    @Injectable()
    class Preparation {
      beforeConsumersStart(): void {
        throw new Error('no table');
      }
    }
    await expect(start(Preparation)).rejects.toThrow('no table');
  });

  it('refuses a class without a handle method, a request-scoped class, and two handlers of a module', async () => {
    const description = { module: 'm', consumer: 'c', topics: ['t'] };
    @Injectable()
    @ModuleConsumer(description)
    class Empty {}
    @Injectable({ scope: Scope.REQUEST })
    @ModuleConsumer(description)
    class ForRequest {
      handle(): void {}
    }
    @Injectable()
    class Twice {
      @ModuleHandler({ module: 'm' })
      one(): void {}

      @ModuleHandler({ module: 'm' })
      two(): void {}
    }
    await expect(start(Empty)).rejects.toThrow(/Empty.handle is missing/);
    await expect(start(ForRequest)).rejects.toThrow(/request-scoped/);
    await expect(start(Twice)).rejects.toThrow(/two handlers/);
  });
});
