import { reportFailure } from '../../async/index.js';
import { OutboxBudget } from './outbox-budget.js';

/** An outbox that a {@link FlushQueue} flushes. */
export interface Flushable {
  flush(): void;
}

/**
 * Flushes every outbox that has something to send, once at the end of the event-loop turn, so that many frames to one
 * client become one system call.
 */
export class FlushQueue {
  /** The most bytes that may wait for one client. */
  readonly maxBytes: number;
  /** Bounds what waits for all clients together. */
  readonly budget: OutboxBudget;
  readonly #onFlushed: () => void;
  #dirty: Flushable[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #lastFrames: readonly Buffer[] = [];
  #lastJoined: Buffer | undefined;

  constructor(maxBytes: number, onFlushed: () => void = () => {}, budget = new OutboxBudget()) {
    this.maxBytes = maxBytes;
    this.budget = budget;
    this.#onFlushed = onFlushed;
  }

  add(outbox: Flushable): void {
    this.#dirty.push(outbox);
    this.#immediate ??= setImmediate(this.#flush);
  }

  /** Flushes what is queued. May be called twice; an outbox that is added afterwards is still flushed. */
  close(): void {
    clearImmediate(this.#immediate);
    this.#flush();
  }

  /**
   * Returns the frames as one buffer. Subscribers of one channel mostly wait for the same frames, so the last result is
   * kept until the end of the flush: comparing references replaces copying bytes.
   */
  join(frames: readonly Buffer[], bytes: number): Buffer {
    if (this.#lastJoined === undefined || !areSame(frames, this.#lastFrames)) {
      this.#lastFrames = frames.slice();
      this.#lastJoined = Buffer.concat(frames, bytes);
    }
    return this.#lastJoined;
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    this.#immediate = undefined;
    for (const outbox of dirty) {
      try {
        outbox.flush();
      } catch (error) {
        // The others must not wait for ever.
        reportFailure('write to a connection', error);
      }
    }
    this.#lastFrames = [];
    this.#lastJoined = undefined;
    this.#onFlushed();
  };
}

function areSame(frames: readonly Buffer[], others: readonly Buffer[]): boolean {
  if (frames.length !== others.length) return false;
  // Starts at the end, where lists that differ mostly do.
  for (let i = frames.length - 1; i >= 0; i--) if (frames[i] !== others[i]) return false;
  return true;
}
