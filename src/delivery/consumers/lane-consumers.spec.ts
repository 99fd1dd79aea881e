import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { type Counter, register } from 'prom-client';
import {
  BrokerUnavailableError,
  Bus,
  BusModule,
  DeadLetters,
  LanesModule,
  busOptions,
  InstantLane,
  Schedule,
} from '../../bus/index.js';
import type { Message } from '../../message/index.js';
import { MetricsModule, metricsOptions, Readiness } from '../../metrics/index.js';
import { LocalFanout } from '../adapters/memory/local.fanout.js';
import { DeliveryModule } from '../delivery.module.js';
import { deliveryOptions } from '../delivery.options.js';
import { Delivery } from '../delivery.js';
import { Fanout } from '../fanout.port.js';
import type { Publication } from '../publications/publication.js';
import { toMessageExtension } from '../publications/publish-options.js';
import { Dispatcher } from '../subscribers/dispatcher.js';
import { LaneConsumersModule } from './lane-consumers.module.js';

const message = (id: string): Message => ({
  id,
  channel: 'a',
  data: Buffer.from('1'),
  format: 'json',
  createdAt: Date.now(),
});

/** Rejects as many publications as `refusals` says, then publishes normally. */
class FaultyFanout extends LocalFanout {
  refusals = 0;

  override publish(publication: Publication): Promise<void> {
    if (this.refusals-- > 0) return Promise.reject(new BrokerUnavailableError('redis', 'it is unavailable'));
    return super.publish(publication);
  }
}

describe('LaneConsumersModule, from the lanes to a subscriber', () => {
  let application: TestingModule;
  let fanout: FaultyFanout;
  let arrivals: Publication[];
  let arrived: PromiseWithResolvers<void>;

  beforeEach(async () => {
    register.clear();
    arrivals = [];
    arrived = Promise.withResolvers();
    const options = deliveryOptions.parse({
      channels: { namespaces: [{ name: 'objects', publicationDataFormat: 'json_object' }] },
    });
    application = await Test.createTestingModule({
      imports: [
        MetricsModule.forRoot(metricsOptions.parse({ processMetrics: false })),
        BusModule.forRoot(
          busOptions.parse({ drivers: { sqlite: { directory: ':memory:' } }, delayed: { driver: 'memory' } }),
        ),
        { ...LaneConsumersModule.forRoot(options), imports: [LanesModule, DeliveryModule.forRoot(options)] },
      ],
    })
      .overrideProvider(Fanout)
      .useFactory({
        factory: (dispatcher: Dispatcher) => (fanout = new FaultyFanout((each) => dispatcher.dispatch(each))),
        inject: [Dispatcher],
      })
      .compile();
    await application.init();
    const subscriber = {
      receive: (publication: Publication) => {
        arrivals.push(publication);
        arrived.resolve();
      },
    };
    await application.get(Delivery).attach('a', subscriber);
  });
  afterEach(() => application.close());

  const laneCount = async (outcome: string): Promise<number> => {
    const counter = register.getSingleMetric('carillon_lane_messages_total') as Counter;
    const { values } = await counter.get();
    return values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
  };

  it('delivers the due messages of both lanes', async () => {
    await application.get(InstantLane).publish([message('m1')]);
    await arrived.promise;
    arrived = Promise.withResolvers();
    const dueAt = Date.now() + 20;
    await application.get(Schedule).add({ ...message('m2'), dueAt });
    await arrived.promise;
    expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
    expect(arrivals.map(({ id, lane }) => [id, lane])).toEqual([
      ['m1', 'instant'],
      ['m2', 'delayed'],
    ]);
  });

  it('publishes with the options that a message carries, and refuses a message whose options are malformed', async () => {
    const lane = application.get(InstantLane);
    const info = { user: 'u', client: 'c' };
    await lane.publish([
      { ...message('m1'), extension: { 'carillon-delta': 'maybe' } },
      { ...message('m2'), extension: toMessageExtension({ info })! },
    ]);
    await arrived.promise;
    expect(arrivals.map((each) => [each.id, each.info])).toEqual([['m2', info]]);
  });

  /** Resolves with the dead letters when there are so many. */
  const deadLetters = async (count: number) => {
    for (;;) {
      const store = application.get(DeadLetters);
      const { records } = await store.list({ limit: 100 });
      const found = await Promise.all(records.map(({ id }) => store.find(id)));
      if (found.length >= count) return found.filter((each) => each !== undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('makes dead letters of records that cannot be decoded or that have no body', async () => {
    const bus = application.get(Bus);
    const headers = { 'carillon-version': '1', 'carillon-channel': 'a', 'carillon-format': 'binary' };
    await bus.publish('carillon.instant', [
      { headers, value: Buffer.alloc(0) },
      { headers: { ...headers, 'carillon-tags': 'no' }, value: Buffer.from([0xff, 0]) },
      { headers: { ...headers, 'carillon-undecodable': 'broken' }, value: Buffer.from('raw') },
    ]);
    await application.get(InstantLane).publish([message('m1')]);
    await arrived.promise;
    expect(arrivals.map(({ id }) => id)).toEqual(['m1']);
    const dead = await deadLetters(3);
    const reasons = dead.map(({ value, failure }) => [value.toString('latin1'), failure?.message] as const);
    expect(Object.fromEntries(reasons)).toEqual({
      '': 'channel a does not accept its data: it must be at least one byte',
      raw: 'broken',
      '\xff\0': 'header carillon-tags ("no") is not a JSON object of strings',
    });
    expect(dead[0]).toMatchObject({ topic: 'carillon.instant', group: 'carillon', headers });
    expect(await laneCount('undeliverable')).toBe(3);
  });

  it('makes dead letters of messages whose data their channel does not accept, in both lanes, and redrives them', async () => {
    await application.get(InstantLane).publish([{ ...message('m1'), channel: 'objects:a' }]);
    await application.get(Schedule).add({ ...message('m2'), channel: 'objects:a', dueAt: Date.now() });
    const dead = await deadLetters(2);
    expect(
      dead.map(({ topic, failure }) => `${topic}: ${failure?.code} ${failure?.message}`).toSorted(),
    ).toEqual([
      'carillon.delayed: record_undeliverable channel objects:a does not accept its data: it must be json_object',
      'carillon.instant: record_undeliverable channel objects:a does not accept its data: it must be json_object',
    ]);
    // Refused again, because nothing has changed.
    expect(await application.get(DeadLetters).redrive(dead[0]!.id)).toBe(true);
    await deadLetters(2);
  });

  it('leaves a message that the fan-out rejects with its lane, which delivers it again', async () => {
    fanout.refusals = 2;
    await application.get(InstantLane).publish([message('m1')]);
    await arrived.promise;
    expect(fanout.refusals).toBe(-1);
    expect(arrivals.map(({ id }) => id)).toEqual(['m1']);
  });

  it('is ready when it consumes both lanes', () => {
    application.get(Readiness).serving();
    expect(application.get(Readiness).report()).toMatchObject({
      ready: true,
      brokers: { 'lane consumers': { state: 'up' } },
    });
  });

  it('delivers nothing after it is closed', async () => {
    const lane = application.get(InstantLane);
    await application.close();
    await expect(lane.publish([message('m1')])).rejects.toThrow('closed');
    expect(arrivals).toEqual([]);
  });
});
