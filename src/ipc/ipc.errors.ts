import { CarillonError } from '../errors.js';

/** The process at the other end is gone, or was cut off. What a call under way did there is not known. */
export class LinkEndedError extends CarillonError {
  readonly code = 'link_ended';
  override readonly retryable = true;

  constructor(reason = 'the process at the other end is gone') {
    super(reason);
  }
}

/** What the other end answered to a call that failed there. Whoever knows the port makes its own error of it, by `remoteCode`. */
export class RemoteError extends CarillonError {
  readonly code = 'remote_failure';

  constructor(
    /** The code of the error at the other end, where it had one. */
    readonly remoteCode: string | undefined,
    message: string,
  ) {
    super(message);
  }
}
