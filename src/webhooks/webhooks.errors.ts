import { CarillonError } from '../errors.js';

/** The base class of the errors of calls to a backend. */
export abstract class WebhookError extends CarillonError {
  /** The label of the result in the metrics. */
  abstract readonly result: CallResult;
}

/** The result of a call, as a label: the response arrived, or why there is none. */
export type CallResult =
  | 'ok'
  | 'status'
  | 'timeout'
  | 'unreachable'
  | 'address_refused'
  | 'interrupted'
  | 'too_large'
  | 'malformed'
  | 'suspended'
  | 'overloaded'
  | 'closed';

/** The backend did not answer in time. It may have executed the call. */
export class WebhookTimeoutError extends WebhookError {
  readonly code = 'webhook_timeout';
  readonly result = 'timeout';
  override readonly retryable = true;
}

/** No connection to the backend could be opened, so that nothing was sent. */
export class WebhookUnreachableError extends WebhookError {
  readonly code = 'webhook_unreachable';
  readonly result = 'unreachable';
  override readonly retryable = true;
}

/** The name of the backend resolves only to addresses that may not be called. */
export class WebhookAddressRefusedError extends WebhookError {
  readonly code = 'webhook_address_refused';
  readonly result = 'address_refused';
}

/** The connection ended before the response was complete. The backend may have executed the call. */
export class WebhookInterruptedError extends WebhookError {
  readonly code = 'webhook_interrupted';
  readonly result = 'interrupted';
  override readonly retryable = true;
}

/** The response has more bytes than allowed. */
export class WebhookResponseTooLargeError extends WebhookError {
  readonly code = 'webhook_response_too_large';
  readonly result = 'too_large';
}

/** The response is not what the protocol requires. */
export class WebhookResponseMalformedError extends WebhookError {
  readonly code = 'webhook_response_malformed';
  readonly result = 'malformed';
}

/** Too many calls to this target failed, so that none is made for a while. */
export class WebhookSuspendedError extends WebhookError {
  readonly code = 'webhook_suspended';
  readonly result = 'suspended';
  override readonly retryable = true;
}

/** As many calls as allowed are running and waiting. */
export class WebhookOverloadedError extends WebhookError {
  readonly code = 'webhook_overloaded';
  readonly result = 'overloaded';
  override readonly retryable = true;
}

/** The process is shutting down. */
export class WebhooksClosedError extends WebhookError {
  readonly code = 'webhooks_closed';
  readonly result = 'closed';
  override readonly retryable = true;
}
