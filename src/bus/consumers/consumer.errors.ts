import { CarillonError } from '../../errors.js';
import type { ReceivedEvent } from './received-event.js';

/** A handler throws this if a retry cannot succeed. The event becomes a dead letter at once. */
export class UnhandleableEventError extends CarillonError {
  readonly code = 'event_unhandleable';
}

/** A handler of batches throws this if only some of the events failed. The others count as handled. */
export class PartlyHandledError extends CarillonError {
  readonly code = 'batch_partly_handled';
  override readonly retryable = true;

  /** @param failed the events of the batch that were not handled. Set `cause` to the reason. */
  constructor(
    readonly failed: readonly ReceivedEvent[],
    options?: ErrorOptions,
  ) {
    super(`${failed.length} events of the batch were not handled`, options);
  }
}

/** A handler did not finish within its time-out. It may still run, but its result is ignored. */
export class HandlerTimedOutError extends CarillonError {
  readonly code = 'handler_timed_out';
  override readonly retryable = true;

  constructor(timeoutMs: number) {
    super(`the handler did not finish within ${timeoutMs} ms`);
  }
}

/** The description of a consumer is invalid, or it cannot be added. Thrown at start-up, or to the caller that adds it. */
export class ConsumerRefusedError extends CarillonError {
  readonly code = 'consumer_refused';
}

/** An idempotency key was already used for other events. */
export class EmitKeyReusedError extends CarillonError {
  readonly code = 'emit_key_reused';
}
