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
