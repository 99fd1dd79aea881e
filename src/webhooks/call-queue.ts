import { WebhookOverloadedError } from './webhooks.errors.js';

export interface QueueLimits {
  readonly running: number;
  readonly waiting: number;
  /** For the running and the waiting calls together. */
  readonly bytes: number;
}

export interface QueuedCall {
  readonly size: number;
  /** It may run now. Called once, maybe within `enter`. */
  run(): void;
}

/** Lets a bounded number of calls run at a time. Others wait, in bounded number, in the order in which they came. */
export class CallQueue {
  readonly #waiting = new Set<QueuedCall>();
  #running = 0;
  #bytes = 0;

  constructor(private readonly limits: QueueLimits) {}

  /** Returns why a call of this size may not even wait. */
  refusalOf(size: number): WebhookOverloadedError | undefined {
    const isFull = this.#running >= this.limits.running && this.#waiting.size >= this.limits.waiting;
    if (!isFull && this.#bytes + size <= this.limits.bytes) return undefined;
    return new WebhookOverloadedError(
      `${this.#running} calls are running and ${this.#waiting.size} are waiting, with ${this.#bytes} bytes: ` +
        'speed up the backend, or raise webhooks.maxConnectionsPerTarget',
    );
  }

  enter(call: QueuedCall): void {
    this.#bytes += call.size;
    if (this.#running < this.limits.running) this.#start(call);
    else this.#waiting.add(call);
  }

  /** Called once for each call that has entered: it has ended, or no longer waits. */
  leave(call: QueuedCall): void {
    this.#bytes -= call.size;
    if (this.#waiting.delete(call)) return;
    this.#running--;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#start(next);
  }

  #start(call: QueuedCall): void {
    this.#running++;
    call.run();
  }
}
