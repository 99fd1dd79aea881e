import { CarillonError } from '../errors.js';

/** A record that was taken from a queue cannot be understood: no channel, or malformed headers. Taking it again will not help. */
export class UndeliverableRecordError extends CarillonError {
  readonly code = 'record_undeliverable';
}

/** The record comes from another program, and no rule says which channel it is for. */
export class ForeignRecordError extends UndeliverableRecordError {}
