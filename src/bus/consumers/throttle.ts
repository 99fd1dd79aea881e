import { after } from '../../async/index.js';
interface Pausable {
  pause(): void;
  resume(): void;
}

/** Limits how many batches are taken in each interval: it pauses the subscription for the rest of the interval. */
export class Throttle {
  #subscription: Pausable | undefined;
  #batches = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param intervalMs 0: no limit */
  constructor(
    private readonly intervalMs: number,
    private readonly maxBatches: number,
  ) {}

  /** The first batches may arrive before this call, because a bus may deliver before `subscribe` resolves. */
  attach(subscription: Pausable): void {
    this.#subscription = subscription;
    if (this.#batches >= this.maxBatches) subscription.pause();
  }

  countBatch(): void {
    if (this.intervalMs === 0) return;
    this.#batches++;
    if (this.#batches === this.maxBatches) this.#subscription?.pause();
    this.#timer ??= after('end of the interval of a consumer', this.intervalMs, () => {
      this.#timer = undefined;
      const wasPaused = this.#batches >= this.maxBatches;
      this.#batches = 0;
      if (wasPaused) this.#subscription?.resume();
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#subscription = undefined;
  }
}
