import {
  BaseRpcContext,
  type CustomTransportStrategy,
  type MessageHandler,
  Server,
} from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { ConsumerDescription, EventContext } from '../consumers/consumer.js';
import { ConsumerRefusedError } from '../consumers/consumer.errors.js';
import type { ConsumerRegistry } from '../consumers/consumer-registry.js';
import { placeOf } from './event-pattern.js';

/** The consumer that the application's `@EventPattern` handlers make up, with any of its settings. */
export interface CarillonServerOptions extends Omit<ConsumerDescription, 'topics' | 'events'> {
  /** Where the events of patterns are that name no topic. */
  readonly topic: string;
}

/** What a handler gets as `@Ctx()`. */
export class EventRpcContext extends BaseRpcContext<[EventContext]> {
  get event(): EventContext {
    return this.args[0];
  }
}

/**
 * Nest's own way to consume: `app.connectMicroservice({ strategy: new CarillonServer(app.get(ConsumerRegistry), …) })`.
 *
 * `@EventPattern('name')` handles the event of that name on the `topic` of the options, `@EventPattern({ topic, event })` one
 * on another topic. Together they are one consumer, with its retries, dead letters and metrics; a handler that throws, or
 * whose stream fails, has failed. `@MessagePattern` is refused: a topic gives no answers.
 */
export class CarillonServer extends Server implements CustomTransportStrategy {
  // Failures reach the failure policy, so Nest need not report them as unobserved.
  override readonly propagatesEventHandlerErrors = true;
  /** By topic and event, which may be written in more than one way. */
  readonly #handlers = new Map<string, MessageHandler[]>();

  constructor(
    private readonly registry: ConsumerRegistry,
    private readonly options: CarillonServerOptions,
  ) {
    super();
  }

  override async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  }

  override async close(): Promise<void> {
    await this.registry.remove(this.options);
  }

  override on(): never {
    throw new ConsumerRefusedError('this transport has no events of its own: readiness tells of its broker');
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's signature
  override unwrap<T>(): T {
    return this.registry as T;
  }

  async #start(): Promise<void> {
    const { topic: usualTopic, ...description } = this.options;
    const topics = new Set<string>();
    const events = new Set<string>();
    for (const [pattern, handler] of this.messageHandlers) {
      if (handler.isEventHandler !== true)
        throw new ConsumerRefusedError(
          `@MessagePattern(${pattern}) cannot be had over a bus: use @EventPattern`,
        );
      const { topic, event } = placeOf(pattern, usualTopic);
      topics.add(topic);
      events.add(event);
      const place = `${topic}\0${event}`;
      this.#handlers.set(place, [...(this.#handlers.get(place) ?? []), handler]);
    }
    await this.registry.add(
      { ...description, topics: [...topics], events: [...events] },
      {
        takes: 'one',
        handle: (_consumer, event, payload, context) => this.#dispatch(event, payload, context),
      },
    );
  }

  async #dispatch(event: string, payload: unknown, context: EventContext): Promise<void> {
    // None where an event of this name is handled, but from another topic.
    const handlers = this.#handlers.get(`${context.topic}\0${event}`) ?? [];
    const rpcContext = new EventRpcContext([context]);
    const handled = Promise.withResolvers<void>();
    this.runWithProcessingHooks(rpcContext, async (end) => {
      const all = Promise.all(handlers.map((handler) => completed(handler(payload, rpcContext))));
      await all.then(() => handled.resolve(), handled.reject);
      end();
    });
    await handled.promise;
  }
}

async function completed(handling: Promise<unknown>): Promise<void> {
  const result = await handling;
  if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
}
