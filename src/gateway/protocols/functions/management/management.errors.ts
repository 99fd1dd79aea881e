import { CarillonError } from '../../../../errors.js';

/** The caller may not use the management API. */
export class ForbiddenError extends CarillonError {
  readonly code = 'forbidden';
}

/** There is no connection with this id, or it is not open yet. */
export class ConnectionGoneError extends CarillonError {
  readonly code = 'connection_gone';
}

export class InvalidConnectionIdError extends CarillonError {
  readonly code = 'invalid_connection_id';
}
