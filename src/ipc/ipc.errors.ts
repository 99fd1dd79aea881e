import { CarillonError } from '../errors.js';

/** The other process has ended, or was disconnected. Whether it carried out a pending call is unknown. */
export class LinkEndedError extends CarillonError {
  readonly code = 'link_ended';
  override readonly retryable = true;

  constructor(reason = 'the process at the other end of the link has ended') {
    super(reason);
  }
}

/** A call failed in the other process. The caller, which knows the port, maps `remoteCode` to an error of its own. */
export class RemoteError extends CarillonError {
  readonly code = 'remote_failure';

  constructor(
    /** The code of the error in the other process; undefined if it had none. */
    readonly remoteCode: string | undefined,
    message: string,
  ) {
    super(message);
  }
}
