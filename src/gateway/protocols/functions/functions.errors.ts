import { CarillonError } from '../../../errors.js';
import type { Answer } from './backend.js';

/** A function of a route answered with an error. */
export class BackendFailedError extends CarillonError {
  readonly code = 'backend_failed';
}

/** A message could not be handled, and the client gets an answer that says so. */
export class AnsweredError extends BackendFailedError {
  constructor(
    message: string,
    readonly answer: Answer,
  ) {
    super(message);
  }
}
