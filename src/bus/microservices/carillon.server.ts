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
import { parseEventPattern } from './event-pattern.js';

/** Settings of the consumer that all `@EventPattern` handlers of the application form together. */
export interface CarillonServerOptions extends Omit<ConsumerDescription, 'topics' | 'events'> {
  /** Topic of patterns that have none. */
  readonly topic: string;
}

/** The value that a handler receives as `@Ctx()`. */
export class EventRpcContext extends BaseRpcContext<[EventContext]> {
  get event(): EventContext {
    return this.args[0];
  }
}

/**
 * Consumes events with Nest's own transport: `app.connectMicroservice({ strategy: new
 * CarillonServer(app.get(ConsumerRegistry), …) })`.
 *
 * `@EventPattern('name')` handles the event of that name on the `topic` of the options, `@EventPattern({ topic, event
 * })` an event on another topic. All handlers together are one consumer, with its retries, dead letters and metrics.
 * A handler fails if it throws, or if the stream that it returns fails. `@MessagePattern` is refused, because a topic
 * returns no replies.
 */
export class CarillonServer extends Server implements CustomTransportStrategy {
  // Failures reach the failure policy. Nest must not report them as unobserved.
  override readonly propagatesEventHandlerErrors = true;
  /** By topic and event, because different patterns may select the same event. */
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
    throw new ConsumerRefusedError(
      'this transport has no events of its own: use readiness for the state of the broker',
    );
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's signature
  override unwrap<T>(): T {
    return this.registry as T;
  }

  async #start(): Promise<void> {
    const { topic: defaultTopic, ...description } = this.options;
    const topics = new Set<string>();
    const events = new Set<string>();
    for (const [pattern, handler] of this.messageHandlers) {
      if (handler.isEventHandler !== true)
        throw new ConsumerRefusedError(
          `@MessagePattern(${pattern}) is not supported, because a bus returns no replies: use @EventPattern`,
        );
      const { topic, event } = parseEventPattern(pattern, defaultTopic);
      topics.add(topic);
      events.add(event);
      const address = `${topic}\0${event}`;
      this.#handlers.set(address, [...(this.#handlers.get(address) ?? []), handler]);
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
    // Empty if only an event of the same name on another topic has a handler.
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
