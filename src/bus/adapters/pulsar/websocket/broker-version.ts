import { Logger } from '@nestjs/common';
import { retryUntilDone } from '../../../../async/index.js';
import { AdapterUnusableError } from '../../../bus.errors.js';
import { askAdmin } from '../admin-api.js';
import type { ConnectionStatus } from '../connection-status.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { reconnectDelayMs } from '../reconnect-delay.js';

/** Earlier versions ignore where a new subscription of their WebSocket API starts, and begin with the next message. */
const LEAST_MAJOR_VERSION = 4;
/** How long the start of the process waits for the version. Without an answer by then, it is checked later. */
const START_TIMEOUT_MS = 1_000;

type Checked = 'supported' | 'unknown' | { readonly problem: string };

/**
 * Finds out whether the broker is too old for its WebSocket API: messages that were accepted before the first consumer joined would
 * be lost.
 */
export class BrokerVersion {
  readonly #closing = new AbortController();

  constructor(
    private readonly options: PulsarDriverOptions,
    private readonly status: ConnectionStatus,
  ) {}

  /**
   * Checks it now, if the broker responds soon. Otherwise it is checked when the broker responds: the status is then down, and stays
   * down, if it is too old.
   *
   * @throws {AdapterUnusableError} if the broker is too old
   */
  async check(): Promise<void> {
    const checked = await this.#ask(START_TIMEOUT_MS).catch(() => undefined);
    if (checked === undefined) void this.#checkLater();
    else if (typeof checked === 'object') throw new AdapterUnusableError(checked.problem);
  }

  close(): void {
    this.#closing.abort();
    this.status.closed(this);
  }

  async #checkLater(): Promise<void> {
    const checked = await retryUntilDone(() => this.#ask(), {
      pauseMs: (attempt) => reconnectDelayMs(attempt, this.options),
      onFailure: () => {},
      signal: this.#closing.signal,
    });
    if (typeof checked !== 'object' || this.#closing.signal.aborted) return;
    new Logger('PulsarBus').error(checked.problem);
    this.status.down(this, checked.problem);
  }

  /** Rejects if the broker does not respond. */
  async #ask(timeoutMs?: number): Promise<Checked> {
    const { status, body } = await askAdmin('brokers/version', this.options, timeoutMs);
    const [version, major] = /^(\d+)\.[\w.-]+$/.exec(body.trim()) ?? [];
    // A WebSocket service of its own has no admin API, and a token may not be allowed to use it.
    if (status !== 200 || version === undefined) return 'unknown';
    if (Number(major) >= LEAST_MAJOR_VERSION) return 'supported';
    return {
      problem:
        `Pulsar ${version} at ${this.options.serviceUrl} is too old for its WebSocket API: it would skip the messages that ` +
        'were published before a subscription was created. Use Pulsar 4.0 or later, or the native client (a pulsar:// URL).',
    };
  }
}
