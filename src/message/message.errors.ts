import { CarillonError } from '../errors.js';

/** A record from a queue is invalid: it has no channel, or malformed headers. Reading it again cannot help. */
export class UndeliverableRecordError extends CarillonError {
  readonly code = 'record_undeliverable';
}

/** The record comes from another program, and no rule determines its channel. */
export class ForeignRecordError extends UndeliverableRecordError {}
