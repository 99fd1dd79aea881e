import { ConflictingParametersError, parseDurationMs, parseTimestamp } from '../../http/index.js';
import {
  DelayNegativeError,
  DelayTooLongError,
  DeliverAtInPastError,
  ExpiresBeforeDueError,
  InvalidDelayError,
  InvalidDeliverAtError,
  InvalidExpiresInError,
} from '../trigger.errors.js';

/** When a delayed copy is asked for: after a while, or at a given Unix time in ms. */
export type Timing = { readonly afterMs: number } | { readonly at: number };

/** How an API calls what is read here, for what is said about it. */
export interface TimingNames {
  readonly deliverAt: string;
  readonly expiresIn: string;
}

const NAMES: TimingNames = { deliverAt: 'deliverAt', expiresIn: 'expiresIn' };

/**
 * Reads `delay` or `deliverAt`, whichever is given.
 * @throws the error of what is wrong with them, whatever the time is now
 */
export function readTiming(
  delay: string | undefined,
  deliverAt: string | undefined,
  maxDelayMs: number,
  names = NAMES,
): Timing | undefined {
  if (delay !== undefined && deliverAt !== undefined)
    throw new ConflictingParametersError(`delay and ${names.deliverAt} exclude each other`);
  if (delay !== undefined) return { afterMs: readDelay(delay, maxDelayMs) };
  if (deliverAt !== undefined) return { at: readDeliverAt(deliverAt, names.deliverAt) };
  return undefined;
}

function readDelay(text: string, maxDelayMs: number): number {
  const ms = parseDurationMs(text);
  if (ms === undefined)
    throw new InvalidDelayError('delay must be whole milliseconds or an ISO 8601 duration such as PT3S');
  if (ms < 0) throw new DelayNegativeError('delay must not be negative');
  if (ms > maxDelayMs) throw tooLong(maxDelayMs);
  return ms;
}

function readDeliverAt(text: string, name: string): number {
  const at = parseTimestamp(text);
  if (at === undefined) {
    const hint = text.includes(' ') ? ' (write + as %2B in a URL)' : '';
    throw new InvalidDeliverAtError(
      `${name} must be an RFC 3339 timestamp such as 2030-01-31T09:00:00Z${hint}`,
    );
  }
  return at;
}

/** The Unix time in ms that a timing means for a request of `nowMs`. */
export function dueTime(timing: Timing, nowMs: number): number {
  return 'afterMs' in timing ? nowMs + timing.afterMs : timing.at;
}

/**
 * Refuses a due time that a request of `nowMs` cannot have.
 * @throws DeliverAtInPastError, DelayTooLongError, ExpiresBeforeDueError
 */
export function checkDueTime(
  dueAt: number,
  nowMs: number,
  maxDelayMs: number,
  expiresAt: number | undefined,
): void {
  if (dueAt < nowMs) throw new DeliverAtInPastError('the time of delivery is in the past');
  if (dueAt - nowMs > maxDelayMs) throw tooLong(maxDelayMs);
  if (expiresAt !== undefined && expiresAt <= dueAt)
    throw new ExpiresBeforeDueError('the message would expire before the delayed copy is due');
}

/** @throws InvalidExpiresInError */
export function readExpiresIn(text: string | undefined, maxMs: number, names = NAMES): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDurationMs(text);
  if (ms === undefined || ms <= 0 || ms > maxMs)
    throw new InvalidExpiresInError(
      `${names.expiresIn} must be positive and at most ${maxMs} ms: whole milliseconds or an ISO 8601 duration`,
    );
  return ms;
}

function tooLong(maxDelayMs: number): DelayTooLongError {
  return new DelayTooLongError(`the longest delay is ${maxDelayMs} ms`);
}
