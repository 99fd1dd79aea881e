import type { ConsumerMeters } from '../bus.metrics.js';
import type { BusDriver } from '../bus.options.js';
import { HandlerTimedOutError, PartlyHandledError } from './consumer.errors.js';
import type { Consumer, EventContext, HandlingContext } from './consumer.js';
import type { ReceivedEvent } from './received-event.js';
import { asUserCode } from './user-code.js';
import { Watchdog } from './watchdog.js';

/** The error of each event that was not handled. Empty if all events were handled. */
export type HandlerErrors = ReadonlyMap<ReceivedEvent, unknown>;

const none: HandlerErrors = new Map();

/** Calls the handler of a consumer, and enforces its time-out. */
export class HandlerRunner {
  readonly #watchdog: Watchdog;

  constructor(
    private readonly consumer: Consumer,
    private readonly meters: ConsumerMeters,
    /** Called with an uncaught error of code that a call of the handler left behind. */
    private readonly onLateFailure: (error: unknown) => void,
  ) {
    this.#watchdog = new Watchdog(consumer.settings.handlerTimeoutMs);
  }

  /**
   * Never rejects.
   *
   * @param events a single event, unless the handler takes batches
   */
  async run(events: readonly ReceivedEvent[]): Promise<HandlerErrors> {
    const startedAt = performance.now();
    try {
      await this.#callInTime(events);
      return none;
    } catch (error) {
      if (!(error instanceof PartlyHandledError)) return new Map(events.map((event) => [event, error]));
      return new Map(error.failed.map((event) => [event, error.cause ?? error]));
    } finally {
      this.#measure(events, (performance.now() - startedAt) / 1_000);
    }
  }

  /** Must be called after the last run has ended. */
  close(): void {
    this.#watchdog.close();
  }

  #callInTime(events: readonly ReceivedEvent[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = new Deadline();
      const release = this.#watchdog.watch(() => {
        const error = new HandlerTimedOutError(this.consumer.settings.handlerTimeoutMs);
        // Reject first, so that what the handler does when its signal is aborted has no effect.
        reject(error);
        deadline.expire(error);
      });
      let isRunning = true;
      const failed = (error: unknown): void => {
        if (isRunning) reject(error);
        else this.onLateFailure(error);
      };
      const onEnded = (): void => {
        isRunning = false;
        release();
      };
      asUserCode({ failed }, () => this.#call(events, deadline, onEnded)).then(resolve, reject);
    });
  }

  async #call(events: readonly ReceivedEvent[], deadline: Deadline, onEnded: () => void): Promise<void> {
    const { consumer, handler } = this.consumer;
    try {
      if (handler.takes === 'batch') await handler.handle(consumer, events, deadline);
      else
        for (const event of events)
          await handler.handle(consumer, event.event, event.payload, new SingleEventContext(event, deadline));
    } finally {
      onEnded();
    }
  }

  #measure(events: readonly ReceivedEvent[], seconds: number): void {
    const [only] = events;
    if (only !== undefined && events.length === 1) this.meters.of(only.event).cost.observe(seconds);
    else
      for (const name of new Set(events.map(({ event }) => event)))
        this.meters.of(name).cost.observe(seconds);
  }
}

/** The deadline of one handler call. Its signal is created on first use, because it costs more than the rest of a call. */
class Deadline implements HandlingContext {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  expire(reason: Error): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** The context of a handler of single events. It is a class because an object literal with a getter is slow to create. */
class SingleEventContext implements EventContext {
  readonly id: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly driver: BusDriver;
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly attempt: number;
  readonly #deadline: Deadline;

  constructor(event: ReceivedEvent, deadline: Deadline) {
    this.id = event.id;
    if (event.key !== undefined) this.key = event.key;
    this.headers = event.headers;
    this.createdAt = event.createdAt;
    this.driver = event.driver;
    this.topic = event.topic;
    this.partition = event.partition;
    this.position = event.position;
    this.attempt = event.attempt;
    this.#deadline = deadline;
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }
}
