import { getHeapStatistics } from 'node:v8';
import { after } from '../../async/index.js';
import type { CloseReason } from './close-codes.js';

/** A client for which bytes may wait. */
export interface Backlogged {
  readonly hasLeft: boolean;
  /** Corrects its part in the budget, and returns it. */
  countOutbox(): number;
  closeFor(reason: CloseReason): void;
  terminate(): void;
}

export interface OutboxBudgetOptions {
  /** The most bytes that may wait for all clients together. */
  readonly maxBytes: number;
  /** Returns all clients of this process. */
  readonly clients: () => Iterable<Backlogged>;
  /** Called for each check in which the budget is exceeded. @param closed how many clients were closed */
  readonly onExceeded: (bytes: number, closed: number) => void;
  /** Returns the memory of all buffers of this process. */
  readonly bufferBytes?: () => number;
}

/** How long a client that was closed may take to read what waits for it, in ms, while the budget is exceeded. */
const CHECK_MS = 500;
/** Down to this part of the budget clients are closed, so that it is not exceeded again at once. */
const RELIEVED = 0.75;

const UNLIMITED: OutboxBudgetOptions = { maxBytes: Infinity, clients: () => [], onExceeded: () => {} };

/**
 * Bounds the bytes that wait for all clients of this process together. When they are more, no answers are produced and
 * nothing is read from clients until there is room, and the clients for which the most waits are closed as slow.
 *
 * Each client counts in full, although subscribers of one channel share frames, because counting the owners of a frame
 * would cost something for each of its subscribers. So the sum may be more than the memory that is held. It counts
 * only up to the memory of all buffers of this process, which contains a shared frame once.
 */
export class OutboxBudget {
  readonly #options: OutboxBudgetOptions;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastCheckAt = -Infinity;
  /** Present while the budget is exceeded. */
  #relief: PromiseWithResolvers<void> | undefined;

  constructor(options = UNLIMITED) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined while there is room; otherwise resolves when there is. */
  relieved(): Promise<void> | undefined {
    return this.#relief?.promise;
  }

  /** @param bytes negative for what no longer waits */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#options.maxBytes && this.#timer === undefined) this.#checkSoon();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#relief?.resolve();
    this.#relief = undefined;
  }

  #checkSoon(): void {
    const sinceLastMs = performance.now() - this.#lastCheckAt;
    this.#timer = after('outbox budget', Math.max(0, CHECK_MS - sinceLastMs), this.#check).unref();
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    this.#lastCheckAt = performance.now();
    const { maxBytes, clients, onExceeded } = this.#options;
    const behind: { readonly client: Backlogged; readonly bytes: number }[] = [];
    for (const client of clients()) {
      const bytes = client.countOutbox();
      if (bytes > 0) behind.push({ client, bytes });
    }
    const held = this.#held;
    if (held <= (this.#relief === undefined ? maxBytes : maxBytes * RELIEVED)) {
      this.#relief?.resolve();
      this.#relief = undefined;
    } else {
      this.#relief ??= Promise.withResolvers();
      behind.sort((a, b) => b.bytes - a.bytes);
      let excess = held - maxBytes * RELIEVED;
      let closed = 0;
      for (const { client, bytes } of behind) {
        if (excess <= 0) break;
        excess -= bytes;
        // It was closed in an earlier check, and does not read.
        if (client.hasLeft) client.terminate();
        else {
          client.closeFor('slow');
          closed++;
        }
      }
      onExceeded(held, closed);
    }
    if (this.#timer === undefined && (this.#relief !== undefined || this.#bytes > maxBytes))
      this.#checkSoon();
  };

  get #held(): number {
    const { maxBytes, bufferBytes = externalBytes } = this.#options;
    return this.#bytes <= maxBytes * RELIEVED ? this.#bytes : Math.min(this.#bytes, bufferBytes());
  }
}

function externalBytes(): number {
  return getHeapStatistics().external_memory;
}

/** A quarter of the memory that the JavaScript heap may have. */
export function defaultOutboxBudget(): number {
  return Math.floor(getHeapStatistics().heap_size_limit / 4);
}
