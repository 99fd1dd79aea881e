import type { ConsumerMeters } from '../bus.metrics.js';
import { HandlerTimedOutError, PartlyHandledError } from './consumer.errors.js';
import type { Consumer, EventContext } from './consumer.js';
import type { ReceivedEvent } from './received-event.js';

/** What went wrong with which event. Empty: all of them are handled. */
export type Faults = ReadonlyMap<ReceivedEvent, unknown>;

/** Calls the handler of a consumer, within its time. */
export class Handling {
  constructor(
    private readonly consumer: Consumer,
    private readonly meters: ConsumerMeters,
  ) {}

  /** @param events one of them, unless the handler takes batches. Does not reject. */
  async attempt(events: readonly ReceivedEvent[]): Promise<Faults> {
    const startedAt = performance.now();
    try {
      await this.#withinItsTime((signal) => this.#call(events, signal));
      return new Map();
    } catch (error) {
      if (!(error instanceof PartlyHandledError)) return new Map(events.map((event) => [event, error]));
      return new Map(error.failed.map((event) => [event, error.cause ?? error]));
    } finally {
      const seconds = (performance.now() - startedAt) / 1_000;
      for (const name of new Set(events.map(({ event }) => event)))
        this.meters.of(name).cost.observe(seconds);
    }
  }

  async #call(events: readonly ReceivedEvent[], signal: AbortSignal): Promise<void> {
    const { consumer, handler } = this.consumer;
    if (handler.takes === 'batch') return handler.handle(consumer, events, { signal });
    for (const received of events) {
      const { event, payload, ...rest } = received;
      const context: EventContext = { ...rest, signal };
      await handler.handle(consumer, event, payload, context);
    }
  }

  async #withinItsTime(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const late = Promise.withResolvers<never>();
    const { handlerTimeoutMs } = this.consumer.settings;
    const timer = setTimeout(() => {
      const error = new HandlerTimedOutError(handlerTimeoutMs);
      late.reject(error);
      controller.abort(error);
    }, handlerTimeoutMs);
    try {
      // Rejections that come too late are swallowed by the race.
      await Promise.race([work(controller.signal), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
