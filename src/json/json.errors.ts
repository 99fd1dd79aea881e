import { CarillonError } from '../errors.js';

/** A text that is not JSON, or JSON of another type than the one asked for. */
export class MalformedJsonError extends CarillonError {
  readonly code: string = 'malformed_json';

  /** @param byte where, counted from 0; absent where it is wrong as a whole */
  constructor(
    readonly reason: string,
    readonly byte?: number,
  ) {
    super(byte === undefined ? reason : `${reason} at byte ${byte}`);
  }
}

/** JSON that may be sound, but opens more arrays and objects inside each other than is read. */
export class DeepJsonError extends MalformedJsonError {
  override readonly code = 'deep_json';
}
