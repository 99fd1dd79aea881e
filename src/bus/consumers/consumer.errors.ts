import { CarillonError } from '../../errors.js';
import type { ReceivedEvent } from './received-event.js';

/** A handler throws this when trying again will not help: the event becomes a dead letter at once. */
export class UnhandleableEventError extends CarillonError {
  readonly code = 'event_unhandleable';
}

/** A handler of batches throws this when only some of the events failed. The others count as handled. */
export class PartlyHandledError extends CarillonError {
  readonly code = 'batch_partly_handled';
  override readonly retryable = true;

  /** @param failed those of the batch that were not handled; `cause` says why */
  constructor(
    readonly failed: readonly ReceivedEvent[],
    options?: ErrorOptions,
  ) {
    super(`${failed.length} events of the batch were not handled`, options);
  }
}

/** A handler did not finish within its time. It may still be at work; what it does is ignored. */
export class HandlerTimedOutError extends CarillonError {
  readonly code = 'handler_timed_out';
  override readonly retryable = true;

  constructor(timeoutMs: number) {
    super(`the handler did not finish within ${timeoutMs} ms`);
  }
}

/** A consumer cannot be had as it is described. Raised at start-up, or to who adds it. */
export class ConsumerRefusedError extends CarillonError {
  readonly code = 'consumer_refused';
}

/** An idempotency key was used before for other events. */
export class EmitKeyReusedError extends CarillonError {
  readonly code = 'emit_key_reused';
}
