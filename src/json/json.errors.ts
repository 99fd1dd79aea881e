import { CarillonError } from '../errors.js';

/** The text is not JSON, or a value does not have the requested type. */
export class MalformedJsonError extends CarillonError {
  readonly code: string = 'malformed_json';

  /** @param byte position of the error, counted from 0; absent if it concerns the whole text */
  constructor(
    readonly reason: string,
    readonly byte?: number,
  ) {
    super(byte === undefined ? reason : `${reason} at byte ${byte}`);
  }
}

/** The text may be valid JSON, but its arrays and objects are nested too deeply. */
export class DeepJsonError extends MalformedJsonError {
  override readonly code = 'deep_json';
}
