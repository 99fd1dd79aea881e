import { setTimeout as delay } from 'node:timers/promises';
import { BusClosedError } from '../../../bus.errors.js';
import { reconnectDelayMs } from '../reconnect-delay.js';
import type { PulsarLinks } from '../links.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';

interface Connected {
  isConnected(): boolean;
  close(): Promise<unknown>;
}

/**
 * One producer or consumer of the native client. The client connects an existing one anew by itself, but gives up on one
 * that it cannot create: that is tried again here.
 */
export class NativeLink<T extends Connected> {
  readonly #stop = new AbortController();
  readonly #opened = Promise.withResolvers<T>();
  readonly #running: Promise<void>;
  #failure: string | undefined;

  constructor(
    private readonly open: () => Promise<T>,
    private readonly options: PulsarDriverOptions,
    private readonly links: PulsarLinks,
    private readonly onFailed: (reason: string) => void = () => {},
  ) {
    this.#opened.promise.catch(() => {}); // not everybody waits for it
    this.#running = this.#run();
  }

  /** Rejects when it is closed before. */
  get opened(): Promise<T> {
    return this.#opened.promise;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Why there is no connection, once that is known. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#opened.reject(new BusClosedError());
    await this.#running;
  }

  async #run(): Promise<void> {
    const connected = await this.#create();
    if (connected) {
      this.#opened.resolve(connected);
      await this.#watch(connected);
      await connected.close().catch(() => {}); // closed by a broker that went away
    }
    this.links.closed(this);
  }

  async #create(): Promise<T | undefined> {
    for (let attempt = 1; !this.isClosed; attempt++) {
      try {
        return await this.open();
      } catch (error) {
        this.#lost(reasonOf(error));
        await this.#pause(reconnectDelayMs(attempt, this.options));
      }
    }
    return undefined;
  }

  /** The client has no event for a lost connection. */
  async #watch(connected: T): Promise<void> {
    while (!this.isClosed) {
      if (connected.isConnected()) {
        this.#failure = undefined;
        this.links.connected(this);
      } else {
        this.#lost('the connection was lost');
      }
      await this.#pause(this.options.pingIntervalMs);
    }
  }

  #lost(reason: string): void {
    this.#failure = reason;
    this.links.lost(this, reason);
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
  // All that the client says of a refused connection.
  if (text.includes('TimeOut')) return `it does not answer (${text})`;
  return text;
}
