import { CarillonError } from '../errors.js';

/**
 * Every code that an HTTP answer may carry, with its status. Codes that other modules raise are mapped here too, so that
 * this is the only place that knows. `docs/http-api.md` explains each of them; a spec compares the two.
 */
export const statusByCode = {
  // The body
  empty_body: 400,
  invalid_json: 400,
  invalid_utf8: 400,
  json_too_deep: 400,
  invalid_body: 400,
  unknown_field: 400,
  body_too_large: 413,
  unsupported_media_type: 415,
  // The query and the headers
  unknown_parameter: 400,
  repeated_parameter: 400,
  conflicting_parameters: 400,
  invalid_lanes: 400,
  invalid_delay: 400,
  delay_negative: 400,
  delay_too_long: 400,
  invalid_deliver_at: 400,
  deliver_at_in_past: 400,
  invalid_expires_in: 400,
  expires_before_due: 400,
  invalid_target: 400,
  invalid_limit: 400,
  invalid_cursor: 400,
  invalid_idempotency_key: 400,
  idempotency_key_reused: 422,
  // The caller
  unauthorized: 401,
  api_key_not_configured: 403,
  rate_limited: 429,
  // The schedule
  unknown_schedule: 404,
  schedule_already_due: 409,
  schedule_full: 503,
  // The dead letters
  unknown_dead_letter: 404,
  // The lanes
  record_refused: 422,
  broker_unavailable: 503,
  bus_closed: 503,
  // HTTP itself
  malformed_request: 400,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  uri_too_long: 414,
  upgrade_required: 426,
  headers_too_large: 431,
  internal_error: 500,
} as const satisfies Readonly<Record<string, number>>;

export type HttpErrorCode = keyof typeof statusByCode;

/** The base of one class: a code cannot be raised without a status. */
function refusal<Code extends HttpErrorCode>(code: Code) {
  return class extends CarillonError {
    readonly code = code;
  };
}

export class EmptyBodyError extends refusal('empty_body') {}
export class InvalidJsonError extends refusal('invalid_json') {}
export class InvalidUtf8Error extends refusal('invalid_utf8') {}
export class JsonTooDeepError extends refusal('json_too_deep') {}
export class InvalidBodyError extends refusal('invalid_body') {}
export class UnknownFieldError extends refusal('unknown_field') {}
export class UnsupportedMediaTypeError extends refusal('unsupported_media_type') {}
export class UnknownParameterError extends refusal('unknown_parameter') {}
export class RepeatedParameterError extends refusal('repeated_parameter') {}
export class ConflictingParametersError extends refusal('conflicting_parameters') {}
export class InvalidLanesError extends refusal('invalid_lanes') {}
export class InvalidDelayError extends refusal('invalid_delay') {}
export class DelayNegativeError extends refusal('delay_negative') {}
export class DelayTooLongError extends refusal('delay_too_long') {}
export class InvalidDeliverAtError extends refusal('invalid_deliver_at') {}
export class DeliverAtInPastError extends refusal('deliver_at_in_past') {}
export class InvalidExpiresInError extends refusal('invalid_expires_in') {}
export class ExpiresBeforeDueError extends refusal('expires_before_due') {}
export class InvalidTargetError extends refusal('invalid_target') {}
export class InvalidLimitError extends refusal('invalid_limit') {}
export class InvalidCursorError extends refusal('invalid_cursor') {}
export class InvalidIdempotencyKeyError extends refusal('invalid_idempotency_key') {}
export class IdempotencyKeyReusedError extends refusal('idempotency_key_reused') {}
export class UnauthorizedError extends refusal('unauthorized') {}
export class ApiKeyNotConfiguredError extends refusal('api_key_not_configured') {}
export class UnknownScheduleError extends refusal('unknown_schedule') {}
export class ScheduleAlreadyDueError extends refusal('schedule_already_due') {}
export class UnknownDeadLetterError extends refusal('unknown_dead_letter') {}

export class RateLimitedError extends refusal('rate_limited') {
  override readonly retryable = true;

  constructor(readonly retryAfterMs: number) {
    super('too many requests from this address');
  }
}

export class MethodNotAllowedError extends refusal('method_not_allowed') {
  constructor(
    method: string,
    readonly allowed: readonly string[],
  ) {
    super(`${method} is not possible here; use ${allowed.join(' or ')}`);
  }
}
