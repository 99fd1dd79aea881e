import { CarillonError } from '../errors.js';

/**
 * Lets a bounded number of tasks run at a time, first come, first served. It can also be paused: while there is at least one
 * reason to pause, it grants no slot, and tasks that hold one keep it.
 */
export class Semaphore {
  readonly #pauseReasons = new Set<string>();
  readonly #waiting: ((acquired: boolean) => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #held = 0;
  #closed = false;

  constructor(private readonly slots: number) {}

  /** No task holds a slot. */
  get isIdle(): boolean {
    return this.#held === 0;
  }

  /**
   * Resolves to true when the caller has a slot, which it must {@link release}. Resolves to false without a slot when the semaphore
   * is closed.
   */
  async acquire(): Promise<boolean> {
    if (this.#closed) return false;
    if (this.#waiting.length === 0 && this.#hasFreeSlot()) {
      this.#held++;
      return true;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    this.#held--;
    if (this.#held === 0 && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
    if (this.#waiting.length > 0) this.#grant();
  }

  /**
   * Runs `work` while holding a slot. Resolves or rejects as `work` does.
   * @throws SemaphoreClosedError without running `work` when the semaphore was closed
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!(await this.acquire())) throw new SemaphoreClosedError('no more work is accepted');
    try {
      return await work();
    } finally {
      this.release();
    }
  }

  /** Grants no slot until every reason is withdrawn by {@link resume}. */
  pause(reason: string): void {
    this.#pauseReasons.add(reason);
  }

  resume(reason: string): void {
    this.#pauseReasons.delete(reason);
    this.#grant();
  }

  /** Grants no slot any more. Tasks that hold one keep it. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(false);
  }

  /** Resolves when no task holds a slot. */
  async idle(): Promise<void> {
    if (!this.isIdle) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #hasFreeSlot(): boolean {
    return this.#held < this.slots && this.#pauseReasons.size === 0;
  }

  #grant(): void {
    while (this.#hasFreeSlot()) {
      const resolve = this.#waiting.shift();
      if (resolve === undefined) return;
      this.#held++;
      resolve(true);
    }
  }
}

/** The semaphore was closed before a slot became free. */
export class SemaphoreClosedError extends CarillonError {
  readonly code = 'semaphore_closed';
}
