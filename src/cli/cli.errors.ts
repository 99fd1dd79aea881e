import { CarillonError } from '../errors.js';

/** A command was called with wrong arguments, or failed. */
export class CommandError extends CarillonError {
  readonly code = 'command_failed';
}
