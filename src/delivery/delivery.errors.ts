import { CarillonError } from '../errors.js';

/** A call came after the fan-out was closed. */
export class FanoutClosedError extends CarillonError {
  readonly code = 'fanout_closed';

  constructor() {
    super('the fan-out is closed: the process is shutting down');
  }
}
