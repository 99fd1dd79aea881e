import { CarillonError } from '../errors.js';

/** The workers do not start, or die at once, again and again: what their own log says is the reason. */
export class WorkersFailedError extends CarillonError {
  readonly code = 'workers_failed';
}
