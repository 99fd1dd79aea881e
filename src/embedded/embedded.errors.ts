import { CarillonError } from '../errors.js';

/** The operation needs a role that this process does not run. */
export class RoleNotHereError extends CarillonError {
  readonly code = 'role_not_here';

  constructor(operation: string) {
    super(`${operation} needs the role trigger, which this process does not run: add it to server.roles`);
  }
}

/** A number or a time is not in the accepted range. */
export class InvalidArgumentError extends CarillonError {
  readonly code = 'invalid_argument';
}

export class PayloadTooLargeError extends CarillonError {
  readonly code = 'payload_too_large';

  constructor(bytes: number, maxBytes: number) {
    super(
      `the data and tags have ${bytes} bytes, and at most ${maxBytes} are accepted (server.http.bodyLimitBytes)`,
    );
  }
}

/** The data is neither bytes nor a value that JSON can represent. */
export class UnencodableDataError extends CarillonError {
  readonly code = 'unencodable_data';

  constructor(reason: string, cause?: unknown) {
    super(`the data must be bytes or a value that JSON can represent: ${reason}`, { cause });
  }
}
