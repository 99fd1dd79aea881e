import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ConsoleLogger, Controller, type INestMicroservice, type Type, UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { register } from 'prom-client';
import { firstValueFrom, type Observable, of, throwError } from 'rxjs';
import {
  BusModule,
  ConsumerRegistry,
  DeadLetters,
  Events,
  UnhandleableEventError,
} from '../../../src/bus/index.js';
import {
  CarillonClient,
  CarillonRecord,
  CarillonServer,
  EventFailureFilter,
  EventRpcContext,
} from '../../../src/bus/microservices/index.js';
import { EventLog } from '../../support/event-log.js';
import { describeOnEveryDriver } from '../bus/bus-drivers.js';

describeOnEveryDriver('The Nest transport', ({ driver, options }) => {
  let topic: string;
  let module: string;
  let seen: EventLog<unknown[]>;
  let application: NestFastifyApplication;
  let server: INestMicroservice;

  beforeEach(() => {
    register.clear();
    topic = `t-${randomUUID()}`;
    module = `m-${randomUUID()}`;
    seen = new EventLog();
  });
  afterEach(() => application.close());

  const start = async (controller: Type, autoStart = true) => {
    const testing = await Test.createTestingModule({
      imports: [
        BusModule.forRoot({ ...(await options()), consumers: { retryInitialMs: 20, maxAttempts: 2 } }),
      ],
      controllers: [controller],
    }).compile();
    application = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
      logger: new ConsoleLogger({ logLevels: [] }),
    });
    const strategy = new CarillonServer(application.get(ConsumerRegistry), {
      module,
      consumer: 'nest',
      topic,
    });
    server = application.connectMicroservice({ strategy });
    if (autoStart) {
      await application.startAllMicroservices();
      await application.init();
    }
    return new CarillonClient(application.get(Events), { topic });
  };

  it('delivers events of ClientProxy.emit to @EventPattern handlers', async () => {
    const elsewhere = `${topic}-2`;
    @Controller()
    class Handlers {
      @EventPattern({ event: 'plain' })
      plain(@Payload() data: unknown, @Ctx() { event }: EventRpcContext): void {
        seen.add(['plain', data, event.topic, event.driver]);
      }

      @EventPattern('plain')
      again(@Payload() data: unknown): void {
        seen.add(['again', data]);
      }

      @EventPattern({ event: 'keyed' })
      keyed(@Payload() data: unknown, @Ctx() { event }: EventRpcContext): void {
        seen.add(['keyed', data, event.key, event.headers]);
      }

      @EventPattern({ topic: elsewhere, event: 'other' })
      other(@Payload() data: unknown): Observable<unknown> {
        seen.add(['other', data]);
        return of();
      }
    }
    const client = await start(Handlers);
    const emitted = await firstValueFrom(client.emit('plain', { n: 1 }));
    expect(emitted).toMatchObject({ ids: [expect.any(String)] });
    await firstValueFrom(client.emit({ topic: elsewhere, event: 'plain' }, 'not for us'));
    await firstValueFrom(client.emit({ topic: elsewhere, event: 'other' }, 2));
    const record = new CarillonRecord(
      { n: 3 },
      { key: 'k', headers: { region: 'süd' } },
      { idempotencyKey: 'once' },
    );
    for (let sent = 0; sent < 2; sent++) await firstValueFrom(client.emit('keyed', record));
    const all = await seen.atLeast(4);
    expect(new Set(all.map((each) => JSON.stringify(each)))).toEqual(
      new Set([
        JSON.stringify(['plain', { n: 1 }, topic, driver]),
        JSON.stringify(['again', { n: 1 }]),
        JSON.stringify(['other', 2]),
        JSON.stringify(['keyed', { n: 3 }, 'k', { region: 'süd' }]),
      ]),
    );
  });

  const waitForDeadLetters = async (count: number) => {
    const deadLetters = application.get(DeadLetters);
    for (;;) {
      const { records } = await deadLetters.list({ group: `${module}-nest`, limit: 10 });
      if (records.length >= count) return records;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('retries failed events, and finally dead-letters them', async () => {
    @Controller()
    class Handlers {
      @EventPattern({ event: 'throws' })
      throws(): void {
        seen.add(['throws']);
        throw new RpcException('no anchor');
      }

      @EventPattern({ event: 'streams' })
      streams(): Observable<never> {
        seen.add(['streams']);
        return throwError(() => new Error('no'));
      }
    }
    const client = await start(Handlers);
    await firstValueFrom(client.emit('throws', 1));
    await firstValueFrom(client.emit('streams', 1));
    await seen.until((all) => all.filter(([name]) => name === 'throws').length === 2 && all.length === 4);
    const dead = await waitForDeadLetters(2);
    expect(dead.map(({ attempts }) => attempts)).toEqual([2, 2]);
    // Nest's own filter hides the message of every error that is not an RpcException.
    expect(new Set(dead.map(({ failure }) => failure?.message))).toEqual(
      new Set(['no anchor', 'Internal server error']),
    );
  });

  it('keeps the errors of handlers unchanged with EventFailureFilter', async () => {
    @Controller()
    @UseFilters(EventFailureFilter)
    class Handlers {
      @EventPattern({ event: 'throws' })
      throws(): void {
        throw new UnhandleableEventError('no such anchor');
      }

      @EventPattern({ event: 'streams' })
      streams(): Observable<never> {
        return throwError(() => Object.assign(new Error('no paper'), { code: 'OUT_OF_PAPER' }));
      }
    }
    const client = await start(Handlers);
    await firstValueFrom(client.emit('throws', 1));
    await firstValueFrom(client.emit('streams', 1));
    const dead = await waitForDeadLetters(2);
    expect(
      new Set(dead.map(({ attempts, failure }) => [attempts, failure?.code, failure?.message].join())),
    ).toEqual(new Set(['1,event_unhandleable,no such anchor', '2,OUT_OF_PAPER,no paper']));
  });

  it('refuses @MessagePattern, send and payloads that are not JSON', async () => {
    @Controller()
    class Handlers {
      @MessagePattern('ask')
      ask(): string {
        return 'answer';
      }
    }
    const client = await start(Handlers, false);
    await expect(server.listen()).rejects.toMatchObject({ code: 'consumer_refused' });
    await expect(firstValueFrom(client.send('ask', 1))).rejects.toMatchObject({ code: 'consumer_refused' });
    await expect(firstValueFrom(client.emit('x', () => {}))).rejects.toMatchObject({
      code: 'record_refused',
    });
  });
});
