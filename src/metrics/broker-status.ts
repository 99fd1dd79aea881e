export type BrokerState = 'connecting' | 'up' | 'down';

/**
 * The state of one broker, as its adapter sees it. The adapter may call `up` and `down` repeatedly: listeners are called for changes
 * only. Readiness, the `broker_up` gauge and the log use it.
 */
export class BrokerStatus {
  #state: BrokerState = 'connecting';
  #reason: string | undefined;

  constructor(
    /** The broker and its role, for example `kafka (instant lane)`. */
    readonly name: string,
    private readonly onChange: (status: BrokerStatus) => void = () => {},
    private readonly onClosed: (status: BrokerStatus) => void = () => {},
  ) {}

  get state(): BrokerState {
    return this.#state;
  }

  /** Why the broker is down, without secrets. Undefined if it is not down. */
  get reason(): string | undefined {
    return this.#reason;
  }

  up(): void {
    this.#become('up', undefined);
  }

  down(reason: string): void {
    this.#become('down', reason);
  }

  /** The connection was closed on purpose, so its state does not count any more. */
  closed(): void {
    this.onClosed(this);
  }

  #become(state: BrokerState, reason: string | undefined): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#reason = reason;
    this.onChange(this);
  }
}
