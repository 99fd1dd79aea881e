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

/** The requested due time of a delayed copy: a delay, or a Unix time in ms. */
export type Timing = { readonly afterMs: number } | { readonly at: number };

/** The names of the parameters in an API, for error messages. */
export interface TimingNames {
  readonly deliverAt: string;
  readonly expiresIn: string;
}

const NAMES: TimingNames = { deliverAt: 'deliverAt', expiresIn: 'expiresIn' };

/**
 * Reads `delay` or `deliverAt`, whichever is present. The result does not depend on the current time.
 * @throws ConflictingParametersError, InvalidDelayError, DelayNegativeError, DelayTooLongError, InvalidDeliverAtError
 */
export function readTiming(
  delay: string | undefined,
  deliverAt: string | undefined,
  maxDelayMs: number,
  names = NAMES,
): Timing | undefined {
  if (delay !== undefined && deliverAt !== undefined)
    throw new ConflictingParametersError(`delay and ${names.deliverAt} exclude each other: send one of them`);
  if (delay !== undefined) return { afterMs: readDelay(delay, maxDelayMs) };
  if (deliverAt !== undefined) return { at: readDeliverAt(deliverAt, names.deliverAt) };
  return undefined;
}

function readDelay(text: string, maxDelayMs: number): number {
  const ms = parseDurationMs(text);
  if (ms === undefined)
    throw new InvalidDelayError('delay must be whole milliseconds or an ISO 8601 duration such as PT3S');
  if (ms < 0) throw new DelayNegativeError('delay must be 0 or more');
  if (ms > maxDelayMs) throw tooLong(maxDelayMs);
  return ms;
}

function readDeliverAt(text: string, name: string): number {
  const at = parseTimestamp(text);
  if (at === undefined) {
    const hint = text.includes(' ') ? ' (encode + as %2B in a URL)' : '';
    throw new InvalidDeliverAtError(
      `${name} must be an RFC 3339 timestamp such as 2030-01-31T09:00:00Z${hint}`,
    );
  }
  return at;
}

/** Returns the due time as Unix time in ms, for a request that was received at `nowMs`. */
export function dueTime(timing: Timing, nowMs: number): number {
  return 'afterMs' in timing ? nowMs + timing.afterMs : timing.at;
}

/**
 * Checks the due time of a request that was received at `nowMs`.
 * @throws DeliverAtInPastError, DelayTooLongError, ExpiresBeforeDueError
 */
export function checkDueTime(
  dueAt: number,
  nowMs: number,
  maxDelayMs: number,
  expiresAt: number | undefined,
): void {
  if (dueAt < nowMs) throw new DeliverAtInPastError('the due time is in the past');
  if (dueAt - nowMs > maxDelayMs) throw tooLong(maxDelayMs);
  if (expiresAt !== undefined && expiresAt <= dueAt)
    throw new ExpiresBeforeDueError('the delayed copy would expire before it is due');
}

/** @throws InvalidExpiresInError */
export function readExpiresIn(text: string | undefined, maxMs: number, names = NAMES): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDurationMs(text);
  if (ms === undefined || ms <= 0 || ms > maxMs)
    throw new InvalidExpiresInError(
      `${names.expiresIn} must be more than 0 and at most ${maxMs} ms: whole milliseconds or an ISO 8601 duration such as PT3S`,
    );
  return ms;
}

function tooLong(maxDelayMs: number): DelayTooLongError {
  return new DelayTooLongError(`the delay is too long: at most ${maxDelayMs} ms are accepted`);
}
