import { retryStoreOptions } from '../../src/bus/retries/retry-store.options.js';
import { once, EventEmitter } from 'node:events';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { MemoryBus } from '../../src/bus/adapters/memory/memory.bus.js';
import { memoryBusOptions } from '../../src/bus/adapters/memory/memory.options.js';
import { SqliteIdempotency } from '../../src/bus/adapters/sqlite/sqlite.idempotency.js';
import { SqliteRetryStore } from '../../src/bus/adapters/sqlite/sqlite.retry-store.js';
import { SqliteSchedule } from '../../src/bus/adapters/sqlite/sqlite.schedule.js';
import { delayedLaneOptions } from '../../src/bus/lanes/delayed-lane.options.js';
import {
  type Bus,
  DeadLetters,
  type BusSubscription,
  Idempotency,
  InstantLane,
  Schedule,
} from '../../src/bus/index.js';
import { newMessageId, type Message } from '../../src/message/index.js';
import { instantLaneOptions } from '../../src/bus/lanes/instant-lane.options.js';
import { Delivery, DeliveryModule, deliveryOptions, Nodes, Presence } from '../../src/delivery/index.js';
import { BrokerStatus, MetricsModule, metricsOptions } from '../../src/metrics/index.js';
import { HttpAdapter, HttpModule, httpOptions, serveDocumentation } from '../../src/http/index.js';
import {
  ConnectionCommands,
  Publishing,
  Queries,
  Trigger,
  TriggerModule,
  triggerOptions,
} from '../../src/trigger/index.js';

export const API_KEY = 'a-key-for-the-tests-0123';
const SQLITE = { path: ':memory:', synchronous: 'normal' } as const;

/** The stores that the nodes of one deployment share. */
export interface Stores {
  readonly schedule: Schedule;
  readonly idempotency: Idempotency;
}

/** @param delayed settings of the delayed lane */
export async function openStores(delayed: object = {}): Promise<Stores> {
  const schedule = await SqliteSchedule.open(
    { ...SQLITE, ...delayedLaneOptions.parse(delayed) },
    new BrokerStatus('sqlite'),
  );
  return { schedule, idempotency: await SqliteIdempotency.open(SQLITE, new BrokerStatus('sqlite')) };
}

export interface TriggerAppOptions {
  readonly trigger?: object;
  readonly delivery?: object;
  readonly http?: object;
  readonly trustedProxies?: readonly string[];
  readonly allowUntrustedProxies?: boolean;
  /** Default: new stores. */
  readonly stores?: Stores;
  /** How many unconsumed messages the instant lane holds. Beyond that it refuses messages like an unavailable broker. */
  readonly instantCapacity?: number;
  /** Wraps the bus of the instant lane. */
  readonly wrapBus?: (bus: Bus) => Bus;
}

@Global()
@Module({})
class LanesModule {
  static of(lane: InstantLane, { schedule, idempotency }: Stores, deadLetters: DeadLetters): DynamicModule {
    const providers = [
      { provide: InstantLane, useValue: lane },
      { provide: Schedule, useValue: schedule },
      { provide: Idempotency, useValue: idempotency },
      { provide: DeadLetters, useValue: deadLetters },
    ];
    return { module: LanesModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** The request edge on a free port, with embedded adapters whose contents a test can inspect. */
export class TriggerApp implements AsyncDisposable {
  readonly #consumed = new EventEmitter();
  readonly instantMessages: Message[] = [];

  private constructor(
    private readonly app: NestFastifyApplication,
    readonly bus: Bus,
    readonly lane: InstantLane,
    readonly stores: Stores,
    readonly retryStore: SqliteRetryStore,
  ) {}

  static async start(options: TriggerAppOptions = {}): Promise<TriggerApp> {
    const stores = options.stores ?? (await openStores());
    const bus = new MemoryBus(
      // With one partition, a consumed message means that all messages before it have been consumed.
      memoryBusOptions.parse({ partitions: 1, maxPendingRecords: options.instantCapacity ?? 10_000 }),
      new BrokerStatus('memory'),
    );
    const retryStore = await SqliteRetryStore.open(
      { ...SQLITE, ...retryStoreOptions.parse({}), closeTimeoutMs: 10_000 },
      new BrokerStatus('sqlite'),
    );
    const lane = new InstantLane(options.wrapBus?.(bus) ?? bus, instantLaneOptions.parse({}));
    const trigger = triggerOptions.parse({
      apiKeys: [API_KEY],
      // Long, because the machine may be busy.
      answerTimeoutMs: 20_000,
      ...options.trigger,
    });
    const { trustedProxies = [], allowUntrustedProxies = false } = options;
    const delivery = DeliveryModule.forRoot({
      ...deliveryOptions.parse(options.delivery ?? {}),
      version: '0.0.0',
    });
    const testing = await Test.createTestingModule({
      imports: [
        MetricsModule.forRoot(metricsOptions.parse({ processMetrics: false })),
        LanesModule.of(lane, stores, new DeadLetters(retryStore)),
        HttpModule.forRoot({
          apiKeys: trigger.apiKeys,
          rateLimit: trigger.rateLimit,
          trustedProxies,
          allowUntrustedProxies,
        }),
        { ...TriggerModule.forRoot(trigger), imports: [delivery] },
      ],
    }).compile();
    const app = testing.createNestApplication<NestFastifyApplication>(
      new HttpAdapter(httpOptions.parse(options.http ?? {})),
      { logger: false },
    );
    serveDocumentation(app, '1.2.3');
    await app.listen(0, '127.0.0.1');
    return new TriggerApp(app, bus, lane, stores, retryStore);
  }

  get port(): number {
    return (this.app.getHttpServer().address() as { port: number }).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get delivery(): Delivery {
    return this.app.get(Delivery);
  }

  get nodes(): Nodes {
    return this.app.get(Nodes);
  }

  get presence(): Presence {
    return this.app.get(Presence);
  }

  get publishing(): Publishing {
    return this.app.get(Publishing);
  }

  get queries(): Queries {
    return this.app.get(Queries);
  }

  get connectionCommands(): ConnectionCommands {
    return this.app.get(ConnectionCommands);
  }

  /** Starts to consume the instant lane, from the oldest message. */
  consume(): Promise<BusSubscription> {
    return this.lane.consume(async (message) => {
      this.instantMessages.push(message);
      this.#consumed.emit(message.id);
    });
  }

  /** Resolves with all messages that were published to the instant lane so far. Needs `consume`. */
  async instant(): Promise<readonly Message[]> {
    const id = newMessageId();
    const seen = once(this.#consumed, id);
    const data = Buffer.from('null');
    await this.lane.publish([{ id, channel: 'sentinel', data, format: 'json', createdAt: Date.now() }]);
    await seen;
    return this.instantMessages.filter(({ channel }) => channel !== 'sentinel');
  }

  /** Resolves when the consumer of the instant lane has received the message with this id. */
  async consumed(id: string): Promise<void> {
    if (!this.instantMessages.some((message) => message.id === id)) await once(this.#consumed, id);
  }

  /** Resolves when no work continues in the background of a response. */
  settled(): Promise<void> {
    return this.app.get(Trigger).onModuleDestroy();
  }

  async delayed() {
    const { schedule } = this.stores;
    const { messages } = await schedule.list({ limit: 1000 });
    const found = await Promise.all(messages.map(({ id }) => schedule.find(id)));
    return found.filter((message) => message !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    await this.bus.close();
    await this.stores.schedule.close();
    await this.stores.idempotency.close();
    await this.retryStore.close();
  }
}
