import { CarillonError } from '../errors.js';

/** A call came after the fan-out was closed. */
export class FanoutClosedError extends CarillonError {
  readonly code = 'fanout_closed';

  constructor() {
    super('the fan-out is closed: the process is shutting down');
  }
}

/** A place in a history was named with an epoch that is not the channel's: what lies between is not known. */
export class UnrecoverablePositionError extends CarillonError {
  readonly code = 'unrecoverable_position';

  constructor() {
    super('the position belongs to a history that the channel does not have any more');
  }
}

/** A question to all nodes was not answered by all of them in time. */
export class SurveyIncompleteError extends CarillonError {
  readonly code = 'survey_incomplete';
  override readonly retryable = true;

  constructor(missing: readonly string[]) {
    super(`no answer in time from the node(s) ${missing.join(', ')}`);
  }
}
