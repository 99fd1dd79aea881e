import { CarillonError } from '../../../errors.js';

/** A function of a route answered with an error. */
export class BackendFailedError extends CarillonError {
  readonly code = 'backend_failed';
}
