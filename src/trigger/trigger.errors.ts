import { errorClassesOf, type HttpErrorTable } from '../http/index.js';

/**
 * The codes that requests for a push add to those of the HTTP server. The codes that the bus raises are here too: trigger
 * calls the bus, and the bus knows no HTTP.
 */
export const triggerErrorTable = {
  // The query and the headers
  invalid_lanes: 400,
  invalid_delay: 400,
  delay_negative: 400,
  delay_too_long: 400,
  invalid_deliver_at: 400,
  deliver_at_in_past: 400,
  invalid_expires_in: 400,
  expires_before_due: 400,
  invalid_target: 400,
  invalid_payload: 400,
  invalid_idempotency_key: 400,
  idempotency_key_reused: 422,
  // The schedule
  unknown_schedule: 404,
  schedule_already_due: 409,
  schedule_full: {
    status: 503,
    message: 'the schedule is full: try again later',
    headers: { 'Retry-After': '60' },
  },
  schedule_quota_exceeded: {
    status: 429,
    headers: { 'Retry-After': '60' },
  },
  // The dead letters
  unknown_dead_letter: 404,
  // The lanes
  record_refused: 422,
  broker_unavailable: {
    status: 503,
    message: 'a broker does not respond: try again',
    headers: { 'Retry-After': '1' },
  },
  bus_closed: {
    status: 503,
    message: 'the server is shutting down: try again',
    headers: { 'Retry-After': '1' },
  },
} as const satisfies HttpErrorTable;

const errorClass = errorClassesOf(triggerErrorTable);

export class InvalidLanesError extends errorClass('invalid_lanes') {}
export class InvalidDelayError extends errorClass('invalid_delay') {}
export class DelayNegativeError extends errorClass('delay_negative') {}
export class DelayTooLongError extends errorClass('delay_too_long') {}
export class InvalidDeliverAtError extends errorClass('invalid_deliver_at') {}
export class DeliverAtInPastError extends errorClass('deliver_at_in_past') {}
export class InvalidExpiresInError extends errorClass('invalid_expires_in') {}
export class ExpiresBeforeDueError extends errorClass('expires_before_due') {}
export class InvalidTargetError extends errorClass('invalid_target') {}
export class InvalidIdempotencyKeyError extends errorClass('invalid_idempotency_key') {}
export class IdempotencyKeyReusedError extends errorClass('idempotency_key_reused') {}
export class UnknownScheduleError extends errorClass('unknown_schedule') {}
export class ScheduleAlreadyDueError extends errorClass('schedule_already_due') {}
export class UnknownDeadLetterError extends errorClass('unknown_dead_letter') {}
