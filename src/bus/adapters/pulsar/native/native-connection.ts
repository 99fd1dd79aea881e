import { pause, settlesWithin } from '../../../../async/index.js';
import { BusClosedError } from '../../../bus.errors.js';
import type { ConnectionStatus } from '../connection-status.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { reconnectDelayMs } from '../reconnect-delay.js';

interface Connectable {
  isConnected(): boolean;
  close(): Promise<unknown>;
}

export interface NativeConnectionEvents<T> {
  /** One was created: the first, or another one after `reconnect`. */
  opened?(created: T): void;
  /** It is connected. Called again and again. */
  connected?(): void;
  /** It could not be created, or its connection was lost. */
  failed?(reason: string): void;
}

/** With a dead broker, the client would take its operation timeout for each call. What is not closed by then closes later. */
export const CLOSE_TIMEOUT_MS = 2_000;

type ConnectionOptions = PulsarDriverOptions & {
  /** Pause after an attempt to create it that failed, in ms. Default: one that grows. */
  readonly restartDelayMs?: number | undefined;
};

/**
 * Creates one producer or consumer of the native client, and watches its connection. The client itself reconnects an
 * existing one, but does not retry if it cannot create one.
 */
export class NativeConnection<T extends Connectable> {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #opened = Promise.withResolvers<T>();
  /** Ends the watch over the present one. Absent if there is none. */
  #watching: AbortController | undefined;
  #failure: string | undefined;

  constructor(
    private readonly open: () => Promise<T>,
    private readonly options: ConnectionOptions,
    private readonly status: ConnectionStatus,
    private readonly events: NativeConnectionEvents<T> = {},
  ) {
    this.#opened.promise.catch(() => {}); // there may be no one who waits for it
    this.#running = this.#run();
  }

  /** Resolves when it was created. Rejects if this is closed first. */
  get opened(): Promise<T> {
    return this.#opened.promise;
  }

  get isOpen(): boolean {
    return this.#watching !== undefined;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Why there is no connection, once that is known; undefined otherwise. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Closes it and creates another one. @returns false if there is none */
  reconnect(): boolean {
    if (this.#failure !== undefined || this.#watching === undefined) return false;
    this.#watching.abort();
    return true;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#watching?.abort();
    this.#opened.reject(new BusClosedError());
    await settlesWithin(CLOSE_TIMEOUT_MS, this.#running);
  }

  async #run(): Promise<void> {
    for (let created = await this.#create(); created; created = await this.#create()) {
      this.#opened.resolve(created);
      if (!this.isClosed) this.events.opened?.(created);
      await this.#watch(created);
      if (!this.isClosed) this.#opened = Promise.withResolvers<T>();
      this.#opened.promise.catch(() => {});
      await created.close().catch(() => {}); // the broker may have closed it already
    }
    this.status.closed(this);
  }

  async #create(): Promise<T | undefined> {
    for (let attempt = 1; !this.isClosed; attempt++) {
      try {
        return await this.open();
      } catch (error) {
        this.#failed(reasonOf(error));
        const pauseMs = this.options.restartDelayMs ?? reconnectDelayMs(attempt, this.options);
        await pause(pauseMs, this.#stop.signal);
      }
    }
    return undefined;
  }

  /** Polls the connection, because the client has no event for a lost one. */
  async #watch(created: T): Promise<void> {
    if (this.isClosed) return;
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    while (!signal.aborted) {
      if (created.isConnected()) {
        this.#failure = undefined;
        this.status.up(this);
        this.events.connected?.();
      } else {
        this.#failed('the connection was lost');
      }
      await pause(this.options.pingIntervalMs, signal);
    }
    this.#watching = undefined;
  }

  #failed(reason: string): void {
    this.#failure = reason;
    this.status.down(this, reason);
    this.events.failed?.(reason);
  }
}

/** The client reports a refused connection and a refused token as a timeout. */
export const REFUSED_OR_SILENT =
  'either it does not answer, or it refuses the token: check that one is set if it requires one, that it is valid and not expired';

export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/Authentication|Authorization/i.test(text))
    return `it does not accept the token, or not for this topic (${text})`;
  if (text.includes('TimeOut')) return `${REFUSED_OR_SILENT} (${text})`;
  return text;
}
