import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ConsoleLogger, Injectable, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getToken } from '@willsoto/nestjs-prometheus';
import { type Counter, register } from 'prom-client';
import {
  Buses,
  BusModule,
  type BusOptionsInput,
  type ConsumerDescription,
  ConsumerRegistry,
  ConsumerSource,
  type ConsumerWatch,
  DeadLetters,
  type EventContext,
  Events,
  type HandlingContext,
  ModuleConsumer,
  ModuleHandler,
  PartlyHandledError,
  type ReceivedEvent,
  UnhandleableEventError,
} from '../../../src/bus/index.js';
import type { ReceivedRecord } from '../../../src/message/index.js';
import { EventLog } from '../../support/event-log.js';
import { describeOnEveryDriver } from '../bus/bus-drivers.js';

interface Handled {
  readonly consumer: string;
  readonly event: string;
  readonly payload: unknown;
  readonly context: EventContext;
}

const quickly = { retryInitialMs: 20, retryMaxMs: 100, maxAttempts: 3, restartDelayMs: 50 };

describeOnEveryDriver('Module consumers', ({ driver, options }) => {
  let topic: string;
  let module: string;
  let given: BusOptionsInput;
  let handled: EventLog<Handled>;
  let applications: TestingModule[];

  beforeEach(async () => {
    register.clear();
    topic = `t-${randomUUID()}`;
    module = `m-${randomUUID()}`;
    given = await options();
    handled = new EventLog();
    applications = [];
  });
  afterEach(() => Promise.all(applications.map((application) => application.close())));

  const start = async (...providers: Type[]): Promise<TestingModule> => {
    const application = await Test.createTestingModule({
      imports: [BusModule.forRoot({ ...given, consumers: { ...quickly, ...given.consumers } })],
      providers,
    })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    applications.push(application);
    return application.init();
  };
  const note = (consumer: string, event: string, payload: unknown, context: EventContext) =>
    handled.add({ consumer, event, payload, context });
  const payloads = () => handled.entries.map(({ payload }) => payload);
  /** A consumer of all events of the topic that calls `handle` before it records the event. */
  const consumerOf = (
    handle: (payload: unknown, context: EventContext) => Promise<void> | void,
    more: Partial<ConsumerDescription> = {},
  ): Type => {
    @Injectable()
    @ModuleConsumer({ module, consumer: 'c', topics: [topic], ...more })
    class Consumer {
      async handle(consumer: string, event: string, payload: unknown, context: EventContext): Promise<void> {
        await handle(payload, context);
        note(consumer, event, payload, context);
      }
    }
    return Consumer;
  };

  it('are found on classes and methods, and called with consumer, event and payload', async () => {
    @Injectable()
    class Parts {
      @ModuleConsumer({ module, consumer: 'income', topics: [topic], events: ['income'] })
      onIncome(...args: [string, string, unknown, EventContext]): void {
        note(...args);
      }

      @ModuleConsumer({ module, consumer: 'ended', topics: [topic], events: ['ended'] })
      onEnded(...args: [string, string, unknown, EventContext]): void {
        note(...args);
      }
    }
    const application = await start(Parts);
    const before = Date.now();
    const { ids } = await application.get(Events).emit(topic, [
      { event: 'income', payload: { anchor: 7, amount: 100 }, key: 'anchor-7', headers: { region: 'süd' } },
      { event: 'ignored', payload: null },
      { event: 'ended', payload: 61, key: 'anchor-7' },
    ]);

    await handled.atLeast(2);
    const income = handled.entries.find(({ event }) => event === 'income');
    expect(income).toMatchObject({
      consumer: 'income',
      payload: { anchor: 7, amount: 100 },
      context: {
        id: ids[0],
        key: 'anchor-7',
        headers: { region: 'süd' },
        driver,
        topic,
        attempt: 1,
        signal: expect.any(AbortSignal),
      },
    });
    expect(income?.context.createdAt).toBeGreaterThanOrEqual(before);
    expect(income?.context.createdAt).toBeLessThanOrEqual(Date.now());
    expect(handled.entries.find(({ event }) => event === 'ended')).toMatchObject({
      consumer: 'ended',
      payload: 61,
    });
    expect(handled.entries.some(({ event }) => event === 'ignored')).toBe(false);
    const groups = application
      .get(ConsumerRegistry)
      .list()
      .map(({ consumer, state }) => [consumer.group, state] as const);
    expect(new Map(groups)).toEqual(
      new Map([
        [`${module}-income`, 'running'],
        [`${module}-ended`, 'running'],
      ]),
    );
  });

  it('move a poison record out of the way, and handle it when it is redriven after a fix', async () => {
    let fixed = false;
    const application = await start(
      consumerOf((payload) => {
        if (payload === 'poison' && !fixed) throw new Error('cannot digest, token=abc123');
      }),
    );
    const [events, deadLetters] = [application.get(Events), application.get(DeadLetters)];
    const copies = new EventLog<ReceivedRecord>();
    const bus = await application.get(Buses).shared();
    await bus.subscribe(
      { topics: [`${topic}.${module}-c.dlq`], group: 'copies', from: 'earliest' },
      async (records) => records.forEach((record) => copies.add(record)),
    );

    const key = 'same-partition';
    await events.emit(topic, { event: 'e', payload: 'poison', key });
    for (let index = 0; index < 20; index++) await events.emit(topic, { event: 'e', payload: index, key });
    await handled.atLeast(20);
    expect(payloads()).toEqual(Array.from({ length: 20 }, (_, index) => index));

    const [copy] = await copies.atLeast(1);
    expect(copy?.headers).toMatchObject({
      'carillon-event': 'e',
      'carillon-dead-group': `${module}-c`,
      'carillon-dead-code': 'handler_failed',
      'carillon-dead-reason': 'cannot digest, token=…',
      'carillon-dead-attempts': '3',
      'carillon-dead-topic': topic,
    });
    const id = copy?.headers['carillon-dead-id'] ?? '';
    await untilFound(() => deadLetters.find(id));
    const { records } = await deadLetters.list({ group: `${module}-c`, limit: 10 });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ id, topic, key, attempts: 3, failure: { code: 'handler_failed' } });
    expect((await deadLetters.find(id))?.value.toString()).toBe('"poison"');

    fixed = true;
    expect(await deadLetters.redrive(id)).toBe(true);
    await handled.atLeast(21);
    expect(payloads().at(-1)).toBe('poison');
    expect(await deadLetters.redrive(id)).toBe(false);
    expect((await deadLetters.list({ limit: 10, topic })).records).toEqual([]);
  });

  it('dead-letter events at once that can be neither handled nor decoded, and delete dropped ones', async () => {
    const application = await start(
      consumerOf(() => {
        throw new UnhandleableEventError('never');
      }),
    );
    const deadLetters = application.get(DeadLetters);
    await application.get(Events).emit(topic, { event: 'e', payload: 1 });
    const bus = await application.get(Buses).shared();
    await bus.publish(topic, [
      { headers: { 'carillon-version': '1', 'carillon-event': 'e' }, value: Buffer.from('{') },
    ]);
    const list = () => deadLetters.list({ group: `${module}-c`, limit: 10 });
    const { records } = await untilFound(async () => {
      const page = await list();
      return page.records.length === 2 ? page : undefined;
    });
    expect(new Set(records.map(({ failure, attempts }) => `${failure?.code} ${attempts}`))).toEqual(
      new Set(['event_unhandleable 1', 'record_undeliverable 1']),
    );
    for (const { id } of records) expect(await deadLetters.drop(id)).toBe(true);
    expect((await list()).records).toEqual([]);
  });

  it('dead-letter a record although it cannot be copied to its dead-letter topic', async () => {
    // With the suffix of the dead-letter topic, it is longer than Kafka allows.
    const topics = [topic.padEnd(230, '-')];
    const refuse = () => {
      throw new UnhandleableEventError('never');
    };
    const application = await start(consumerOf(refuse, { topics }));
    await application.get(Events).emit(topics[0]!, { event: 'e', payload: 1 });
    const { records } = await untilFound(async () => {
      const page = await application.get(DeadLetters).list({ group: `${module}-c`, limit: 10 });
      return page.records.length > 0 ? page : undefined;
    });
    expect(records).toMatchObject([{ failure: { code: 'event_unhandleable' } }]);
  });

  it('keep the order of a key behind a failed record, if ordering is by key', async () => {
    let failures = 0;
    const application = await start(
      consumerOf(
        (payload) => {
          if (payload !== 'a1') return;
          // Until all the others were handled.
          if (++failures < 3 || !payloads().includes('b3')) throw new Error('not yet');
        },
        { ordering: 'key', maxAttempts: 10_000 },
      ),
    );
    const events = application.get(Events);
    const emitted = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'].map((payload) => ({
      event: 'e',
      payload,
      key: payload.slice(0, 1),
    }));
    await events.emit(topic, emitted);
    await handled.atLeast(6);
    await events.emit(topic, { event: 'e', payload: 'a4', key: 'a' });
    await handled.atLeast(7);
    const of = (key: string) => payloads().filter((payload) => String(payload).startsWith(key));
    expect(of('a')).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(of('b')).toEqual(['b1', 'b2', 'b3']);
    expect(payloads().indexOf('b3')).toBeLessThan(payloads().indexOf('a1'));
    expect(handled.entries.find(({ payload }) => payload === 'a1')?.context.attempt).toBe(failures);
  });

  it('retry after a handler timed out, and ignore its late result', async () => {
    const aborted = Promise.withResolvers<unknown>();
    const release = Promise.withResolvers<void>();
    let calls = 0;
    const application = await start(
      consumerOf(
        async (payload, { signal }) => {
          if (payload !== 'hang' || ++calls > 1) return;
          signal.addEventListener('abort', () => aborted.resolve(signal.reason));
          await release.promise;
          throw new Error('too late to matter');
        },
        { handlerTimeoutMs: 100 },
      ),
    );
    const events = application.get(Events);
    await events.emit(topic, { event: 'e', payload: 'hang', key: 'k' });
    await events.emit(topic, { event: 'e', payload: 'next', key: 'k' });
    expect(await aborted.promise).toMatchObject({ code: 'handler_timed_out' });
    await handled.until(() => payloads().includes('next') && payloads().includes('hang'));
    release.resolve();
    expect(calls).toBe(2);
  });

  it('take whole batches, and retry only the failed events', async () => {
    const batches = new EventLog<readonly ReceivedEvent[]>();
    const done = new EventLog<unknown>();
    let poisoned = true;
    @Injectable()
    @ModuleConsumer({ module, consumer: 'c', topics: [topic], batch: true, batchSize: 10 })
    class Batches {
      async handle(_: string, events: readonly ReceivedEvent[], _context: HandlingContext): Promise<void> {
        batches.add(events);
        const failed = events.filter(({ payload }) => payload === 5 && poisoned);
        for (const event of events) if (!failed.includes(event)) done.add(event.payload);
        if (failed.length === 0) return;
        poisoned = false;
        throw new PartlyHandledError(failed, { cause: new Error('five') });
      }
    }
    const application = await start(Batches);
    const events = Array.from({ length: 30 }, (_, payload) => ({ event: 'e', payload, key: 'k' }));
    await application.get(Events).emit(topic, events);
    await done.atLeast(30);
    expect(done.entries.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      events.map(({ payload }) => payload),
    );
    const sizes = batches.entries.map(({ length }) => length);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
  });

  it('are provided by a source at run time, and change while they run', async () => {
    let want: (consumers: readonly ConsumerDescription[]) => Promise<void> = async () => {};
    @Injectable()
    class Source extends ConsumerSource {
      async watch(wanted: typeof want): Promise<ConsumerWatch> {
        want = wanted;
        await wanted([{ module, consumer: 'a', topics: [topic], events: ['one'] }]);
        return { close: async () => {} };
      }
    }
    @Injectable()
    @ModuleHandler({ module })
    class Handler {
      handle(...args: [string, string, unknown, EventContext]): void {
        note(...args);
      }
    }
    const application = await start(Handler, Source);
    const events = application.get(Events);
    const seen = () => handled.entries.map(({ consumer, event }) => `${consumer} ${event}`);
    await events.emit(topic, [
      { event: 'one', payload: 1 },
      { event: 'two', payload: 1 },
    ]);
    await handled.until(() => seen().includes('a one'));

    await want([
      { module, consumer: 'a', topics: [topic], events: ['two'] },
      { module, consumer: 'b', topics: [topic], events: ['one'], from: 'latest' },
    ]);
    await events.emit(topic, [
      { event: 'one', payload: 2 },
      { event: 'two', payload: 2 },
    ]);
    await handled.until(() => seen().includes('a two') && seen().includes('b one'));
    await want([{ module, consumer: 'b', topics: [topic], events: ['two'] }]);
    const registry = application.get(ConsumerRegistry);
    expect(registry.list().map(({ consumer }) => consumer.group)).toEqual([`${module}-b`]);
    await events.emit(topic, { event: 'two', payload: 3 });
    await handled.until(() => seen().includes('b two'));
    expect(seen().filter((each) => each === 'a one')).toHaveLength(1);
    await expect(want([{ module, consumer: 'b', topics: [] }])).rejects.toMatchObject({
      code: 'consumer_refused',
    });
  });

  it('finish running handlers on shutdown, and leave the other records to the next process', async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const handle = async (payload: unknown) => {
      if (payload !== 'slow') return;
      entered.resolve();
      await release.promise;
    };
    const first = await start(consumerOf(handle, { batchSize: 1 }));
    await first.get(Events).emit(topic, { event: 'e', payload: 'slow', key: 'k' });
    await entered.promise;
    const closing = first.close();
    release.resolve();
    await closing;
    expect(payloads()).toEqual(['slow']);
    if (driver === 'memory') return;

    register.clear();
    const second = await start(consumerOf(handle, { batchSize: 1 }));
    await second.get(Events).emit(topic, { event: 'e', payload: 'after', key: 'k' });
    await handled.until(() => payloads().includes('after'));
    expect(payloads()).toEqual(['slow', 'after']);
  });

  it('count a rebalance when a process joins', async () => {
    // Memory has one process, and Pulsar moves keys rather than partitions.
    if (driver === 'memory' || driver === 'pulsar') return;
    const nothing = () => {};
    const first = await start(consumerOf(nothing));
    const rebalances = async () => {
      const { values } = await first.get<Counter>(getToken('messagebus_rebalances_total')).get();
      return values.find(({ labels }) => labels['group'] === `${module}-c`)?.value;
    };
    expect(await rebalances()).toBeUndefined();
    register.clear();
    await start(consumerOf(nothing));
    expect(await untilFound(rebalances)).toBeGreaterThan(0);
  });

  it('are measured by metrics', async () => {
    let failures = 0;
    given = { ...given, lagIntervalMs: 50 };
    const application = await start(
      consumerOf((payload) => {
        if (payload === 'bad' && ++failures < 2) throw new Error('once');
      }),
    );
    await application.get(Events).emit(topic, [
      { event: 'e', payload: 'good' },
      { event: 'e', payload: 'bad' },
    ]);
    await handled.atLeast(2);
    const labels = `module="${module}",consumer="c",event="e",driver="${driver}"`;
    await untilFound(async () => {
      const text = await register.metrics();
      return text.includes(`messagebus_job_cost_count{${labels}} 3`) || undefined;
    });
    const text = await register.metrics();
    expect(text).toContain(`messagebus_job_delay_count{${labels}} 2`);
    expect(text).toContain(`messagebus_retries_total{${labels}} 1`);
    await untilFound(async () => {
      const metrics = await register.metrics();
      const lag = metrics.match(new RegExp(`messagebus_lag{group="${module}-c".*} (\\d+)`, 'g'));
      return lag?.every((line) => line.endsWith(' 0')) ? lag : undefined;
    });
  });
});

/** Asks again in the next turns until there is an answer: for state that nothing announces. */
async function untilFound<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
