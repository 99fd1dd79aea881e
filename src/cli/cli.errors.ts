import { CarillonError } from '../errors.js';

/** A command was called wrongly, or cannot do what it was asked for. */
export class CommandError extends CarillonError {
  readonly code = 'command_failed';
}
