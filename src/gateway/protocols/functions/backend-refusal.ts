import { WebhookError, type CallResult } from '../../../webhooks/index.js';
import type { Refusal } from '../../connection/refusals.js';

const slow: Refusal = {
  status: 504,
  code: 'backend_timeout',
  message: 'the backend of this route did not answer in time',
  retryable: true,
};
const busy: Refusal = {
  status: 503,
  code: 'backend_unavailable',
  message: 'the backend of this route is not available',
  retryable: true,
};
const failed: Refusal = {
  status: 502,
  code: 'backend_failed',
  message: 'the backend of this route did not answer as it has to',
  retryable: true,
};

const byResult: Partial<Record<CallResult, Refusal>> = {
  timeout: slow,
  suspended: busy,
  overloaded: busy,
  closed: busy,
};

/** Returns how a client is refused if the call that decides about it fails. */
export function refusalOfFailure(error: unknown): Refusal {
  return (error instanceof WebhookError ? byResult[error.result] : undefined) ?? failed;
}
