import type { ConsumerMeters } from '../bus.metrics.js';
import type { BusDriver } from '../bus.options.js';
import { HandlerTimedOutError, PartlyHandledError } from './consumer.errors.js';
import type { Consumer, EventContext, HandlingContext } from './consumer.js';
import type { ReceivedEvent } from './received-event.js';
import { Watchdog } from './watchdog.js';

/** What went wrong with which event. Empty: all of them are handled. */
export type Faults = ReadonlyMap<ReceivedEvent, unknown>;

const none: Faults = new Map();

/** Calls the handler of a consumer, within its time. */
export class Handling {
  readonly #watchdog: Watchdog;

  constructor(
    private readonly consumer: Consumer,
    private readonly meters: ConsumerMeters,
  ) {
    this.#watchdog = new Watchdog(consumer.settings.handlerTimeoutMs);
  }

  /** @param events one of them, unless the handler takes batches. Does not reject. */
  async attempt(events: readonly ReceivedEvent[]): Promise<Faults> {
    const startedAt = performance.now();
    try {
      await this.#withinItsTime(events);
      return none;
    } catch (error) {
      if (!(error instanceof PartlyHandledError)) return new Map(events.map((event) => [event, error]));
      return new Map(error.failed.map((event) => [event, error.cause ?? error]));
    } finally {
      this.#measure(events, (performance.now() - startedAt) / 1_000);
    }
  }

  /** After the last attempt has ended. */
  close(): void {
    this.#watchdog.close();
  }

  async #call(events: readonly ReceivedEvent[], deadline: Deadline, onEnded: () => void): Promise<void> {
    const { consumer, handler } = this.consumer;
    try {
      if (handler.takes === 'batch') await handler.handle(consumer, events, deadline);
      else
        for (const event of events)
          await handler.handle(consumer, event.event, event.payload, new Circumstances(event, deadline));
    } finally {
      onEnded();
    }
  }

  #withinItsTime(events: readonly ReceivedEvent[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = new Deadline();
      const release = this.#watchdog.watch(() => {
        const error = new HandlerTimedOutError(this.consumer.settings.handlerTimeoutMs);
        // First, so that what the handler does when it hears of the abortion comes too late.
        reject(error);
        deadline.pass(error);
      });
      this.#call(events, deadline, release).then(resolve, reject);
    });
  }

  #measure(events: readonly ReceivedEvent[], seconds: number): void {
    const [only] = events;
    if (only !== undefined && events.length === 1) this.meters.of(only.event).cost.observe(seconds);
    else
      for (const name of new Set(events.map(({ event }) => event)))
        this.meters.of(name).cost.observe(seconds);
  }
}

/** The end of a handler's time. Its signal is made when somebody asks for it: it costs more than all the rest of a call. */
class Deadline implements HandlingContext {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  pass(reason: Error): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** What a handler of single events is told. A class, because an object with a getter of its own is slow to make. */
class Circumstances implements EventContext {
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
