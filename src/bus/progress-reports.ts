import { after } from '../async/index.js';
import { BrokerUnavailableError, CallRefusedError } from './bus.errors.js';
import type { ProgressReporter } from './bus.port.js';

/** A membership that lasts this long is stable: what ended the previous one is over. */
const STABLE_AFTER_MS = 15_000;

/** Reports a membership in a consumer group that keeps ending, until one membership is stable. */
export class MembershipProgress {
  #stable: NodeJS.Timeout | undefined;

  /**
   * @param name of the membership, for example `membership in the consumer group orders`
   * @param onStable called when a membership has lasted long enough
   */
  constructor(
    private readonly progress: ProgressReporter | undefined,
    private readonly name: string,
    private readonly onStable: () => void = () => {},
  ) {}

  began(): void {
    clearTimeout(this.#stable);
    this.#stable = after('end of the probation of a member', STABLE_AFTER_MS, () => {
      this.progress?.unblocked(this.name);
      this.onStable();
    }).unref();
  }

  ended(reason: string): void {
    clearTimeout(this.#stable);
    this.progress?.blocked(this.name, `the ${this.name} keeps ending: ${reason}`);
  }

  /** The broker cannot be reached any more. It has a status of its own, which reports that. */
  disconnected(): void {
    clearTimeout(this.#stable);
    this.progress?.unblocked(this.name);
  }

  close(): void {
    clearTimeout(this.#stable);
  }
}

/** Reports work that is repeated until it succeeds, and keeps failing although the broker can be reached. */
export class RepeatedWork {
  #isBlocked = false;

  /** @param name of the work, for example `reading from orders/3` */
  constructor(
    private readonly progress: ProgressReporter | undefined,
    private readonly name: string,
  ) {}

  failed(error: unknown): void {
    // The broker has a status of its own, which reports that it cannot be reached.
    if (error instanceof BrokerUnavailableError && !(error instanceof CallRefusedError)) {
      this.succeeded();
      return;
    }
    this.#isBlocked = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.progress?.blocked(this.name, `${this.name} keeps failing: ${reason}`);
  }

  succeeded(): void {
    if (this.#isBlocked) this.progress?.unblocked(this.name);
    this.#isBlocked = false;
  }
}
