import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { ConsoleLogger, Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { register } from 'prom-client';
import { BusModule, type EventContext, ModuleConsumer } from '../../../src/bus/index.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';

// The fields are those that `xAdd` of the original PHP message bus writes.
describeWith('redis', 'A consumer of the original bus', () => {
  let url: string;
  let php: Redis;
  let application: TestingModule | undefined;
  beforeAll(async () => {
    ({ url } = await sharedBroker('redis'));
    php = new Redis(url);
  });
  afterEach(async () => application?.close());
  afterAll(() => php.disconnect());

  it('handles what a PHP producer added to the stream of the topic, from where the PHP group stopped', async () => {
    register.clear();
    const [topic, module] = [`t-${randomUUID()}`, `m-${randomUUID()}`];
    const handled = new EventLog<{ event: string; payload: unknown; context: EventContext }>();
    @Injectable()
    @ModuleConsumer({ module, consumer: 'daily', topics: [topic], events: ['income'] })
    class Daily {
      handle(_: string, event: string, payload: unknown, context: EventContext): void {
        handled.add({ event, payload, context });
      }
    }
    const add = (event: string, id: string, ...payload: string[]) => {
      const description = ['event', event, 'message_id', id, '_app', 'live', '_host', 'web-1'];
      return php.xadd(topic, '*', ...description, '_happened_at', '1700000000.125', ...payload);
    };
    await add('income', 'before', 'anchor', 'mei');
    await php.xgroup('CREATE', topic, `${module}-daily`, '$');
    await add('duration', 'other', 'minutes', '61');
    await add('income', 'after', 'anchor', 'mei', 'amount', '80');
    application = await Test.createTestingModule({
      imports: [
        BusModule.forRoot({
          defaultDriver: 'redis',
          drivers: {
            redis: { url, keyPrefix: module, streams: { streamName: '<topic>' } },
            sqlite: { directory: ':memory:' },
          },
        }),
      ],
      providers: [Daily],
    })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    await application.init();
    const [first] = await handled.atLeast(1);
    expect(first).toMatchObject({
      event: 'income',
      payload: { anchor: 'mei', amount: '80' },
      context: {
        id: 'after',
        createdAt: 1_700_000_000_125,
        headers: { _app: 'live', _host: 'web-1' },
        topic,
      },
    });
    expect(handled.entries).toHaveLength(1);
  });
});
