import { setTimeout as delay } from 'node:timers/promises';
import { BusClosedError } from '../../../bus.errors.js';
import type { ConnectionStatus } from '../connection-status.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { reconnectDelayMs } from '../reconnect-delay.js';

interface Connectable {
  isConnected(): boolean;
  close(): Promise<unknown>;
}

/**
 * Creates one producer or consumer of the native client, and watches its connection. The client itself reconnects an
 * existing one, but does not retry if it cannot create one.
 */
export class NativeConnection<T extends Connectable> {
  readonly #stop = new AbortController();
  readonly #opened = Promise.withResolvers<T>();
  readonly #running: Promise<void>;
  #failure: string | undefined;

  constructor(
    private readonly open: () => Promise<T>,
    private readonly options: PulsarDriverOptions,
    private readonly status: ConnectionStatus,
    private readonly onFailed: (reason: string) => void = () => {},
  ) {
    this.#opened.promise.catch(() => {}); // there may be no one who waits for it
    this.#running = this.#run();
  }

  /** Resolves when it was created. Rejects if this is closed first. */
  get opened(): Promise<T> {
    return this.#opened.promise;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Why there is no connection, once that is known; undefined otherwise. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#opened.reject(new BusClosedError());
    await this.#running;
  }

  async #run(): Promise<void> {
    const created = await this.#create();
    if (created) {
      this.#opened.resolve(created);
      await this.#watch(created);
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
        await this.#pause(reconnectDelayMs(attempt, this.options));
      }
    }
    return undefined;
  }

  /** Polls the connection, because the client has no event for a lost one. */
  async #watch(created: T): Promise<void> {
    while (!this.isClosed) {
      if (created.isConnected()) {
        this.#failure = undefined;
        this.status.up(this);
      } else {
        this.#failed('the connection was lost');
      }
      await this.#pause(this.options.pingIntervalMs);
    }
  }

  #failed(reason: string): void {
    this.#failure = reason;
    this.status.down(this, reason);
    this.onFailed(reason);
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}

export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/Authentication|Authorization/i.test(text))
    return `it does not accept the token, or not for this topic (${text})`;
  // The client reports a refused connection as a timeout.
  if (text.includes('TimeOut')) return `it does not answer (${text})`;
  return text;
}
