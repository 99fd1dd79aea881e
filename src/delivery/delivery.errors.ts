import { CarillonError } from '../errors.js';

/** A method was called after the fan-out was closed. */
export class FanoutClosedError extends CarillonError {
  readonly code = 'fanout_closed';

  constructor() {
    super('the fan-out is closed: the process is shutting down');
  }
}

/**
 * A position has an epoch that is not the current one of its channel, so that it is unknown what was published since.
 */
export class UnrecoverablePositionError extends CarillonError {
  readonly code = 'unrecoverable_position';

  constructor() {
    super('the position belongs to an earlier history of the channel');
  }
}

/** The clients of a channel are too many for one reply. */
export class PresenceTooLargeError extends CarillonError {
  readonly code = 'presence_too_large';

  constructor(maxBytes: number) {
    super(
      `the clients of the channel are more than ${maxBytes} bytes: only their numbers can be read (presence_stats)`,
    );
  }
}

/** A survey of all nodes did not receive all replies in time. */
export class SurveyIncompleteError extends CarillonError {
  readonly code = 'survey_incomplete';
  override readonly retryable = true;

  constructor(missing: readonly string[]) {
    super(`no reply in time from the node(s) ${missing.join(', ')}`);
  }
}

/** A node has no lease in the registry of connections: others may have taken over its connections. */
export class LeaseEndedError extends CarillonError {
  readonly code = 'lease_ended';
  override readonly retryable = true;

  constructor() {
    super('this node has no lease in the registry of connections');
  }
}

/** A node did not answer in time. It may have carried out the request. */
export class NodeSilentError extends CarillonError {
  readonly code = 'node_silent';
  override readonly retryable = true;

  constructor(node: string) {
    super(`no answer in time from node ${node}`);
  }
}
