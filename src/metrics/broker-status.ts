export type BrokerState = 'connecting' | 'up' | 'down';

/**
 * What one adapter says of its broker. The adapter calls `up` and `down` as often as it likes; listeners hear of changes
 * only. Readiness, the `broker_up` gauge and the log are fed from here.
 */
export class BrokerStatus {
  #state: BrokerState = 'connecting';
  #reason: string | undefined;

  constructor(
    /** Which broker in which role, for example `kafka (instant lane)`. */
    readonly name: string,
    private readonly onChange: (status: BrokerStatus) => void = () => {},
  ) {}

  get state(): BrokerState {
    return this.#state;
  }

  /** Why it is down, without secrets; absent otherwise. */
  get reason(): string | undefined {
    return this.#reason;
  }

  up(): void {
    this.#become('up', undefined);
  }

  down(reason: string): void {
    this.#become('down', reason);
  }

  #become(state: BrokerState, reason: string | undefined): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#reason = reason;
    this.onChange(this);
  }
}
