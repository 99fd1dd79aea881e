import { CarillonError } from '../errors.js';

/** Workers cannot be started, or keep ending shortly after their start. Their own log lines say why. */
export class WorkersFailedError extends CarillonError {
  readonly code = 'workers_failed';
}
