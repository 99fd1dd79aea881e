/**
 * The base class of all errors that Carillon throws deliberately.
 *
 * `code` is stable: clients, dashboards and runbooks match on it, never on the message. It belongs to the
 * class, so one class means one code. `retryable` says whether the same call may succeed later.
 * Each edge maps codes to its own statuses: HTTP in one table of each module, close codes in gateway.
 */
export abstract class CarillonError extends Error {
  abstract readonly code: string;
  readonly retryable: boolean = false;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The broker or store does not respond, or cannot process the call now. */
export class BrokerUnavailableError extends CarillonError {
  readonly code = 'broker_unavailable';
  override readonly retryable = true;

  /** @param broker the name of the broker or store, for example `kafka` */
  constructor(
    readonly broker: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${broker} is not available: ${reason}`, options);
  }
}

/** An adapter cannot be used: a file or a client library is missing, or options contradict each other. Thrown at start-up. */
export class AdapterUnusableError extends CarillonError {
  readonly code = 'adapter_unusable';
}
