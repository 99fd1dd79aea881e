import { isJson } from '../json/index.js';
import type { Draft, Route, Timing } from '../trigger/index.js';
import type { PublishOptions, ScheduleOptions } from './carillon.types.js';
import { InvalidArgumentError, PayloadTooLargeError, UnencodableDataError } from './embedded.errors.js';

// Turns arguments of the application into requests of operations.

/** What one message may have, because stores and brokers are made for it. */
export interface Limits {
  /** Of data and tags together. */
  readonly maxBytes: number;
  readonly maxKeyLength: number;
}

/** @throws UnencodableDataError, PayloadTooLargeError, InvalidArgumentError */
export function draftOf(
  value: unknown,
  { tags, idempotencyKey, skipHistory }: Omit<PublishOptions, 'lane'>,
  route: Route | undefined,
  { maxBytes, maxKeyLength }: Limits,
): Draft {
  const payload = encode(value);
  const bytes = Object.entries(tags ?? {}).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text),
    payload.data.length,
  );
  if (bytes > maxBytes) throw new PayloadTooLargeError(bytes, maxBytes);
  if (idempotencyKey !== undefined && (idempotencyKey === '' || idempotencyKey.length > maxKeyLength))
    throw new InvalidArgumentError(
      `idempotencyKey has ${idempotencyKey.length} characters: 1 to ${maxKeyLength} are accepted (trigger.idempotency.maxKeyLength)`,
    );
  const terms = {
    ...(tags !== undefined ? { tags } : {}),
    ...(idempotencyKey !== undefined ? { idempotencyKey } : {}),
    ...(skipHistory !== undefined ? { skipHistory } : {}),
  };
  const hasTerms = Object.keys(terms).length > 0;
  return { ...payload, terms: hasTerms ? terms : undefined, route, traceparent: undefined };
}

/** @throws InvalidArgumentError */
export function timingOf({ afterMs, at, expiresInMs }: ScheduleOptions): Timing {
  if (expiresInMs !== undefined) checkDuration('expiresInMs', expiresInMs);
  if ((afterMs === undefined) === (at === undefined))
    throw new InvalidArgumentError('exactly one of afterMs and at is required');
  if (at !== undefined) return { at: wholeNumber('at', at.getTime()) };
  return { afterMs: wholeNumber('afterMs', afterMs ?? 0) };
}

/** @throws InvalidArgumentError */
export function checkDuration(name: string, ms: number): void {
  if (wholeNumber(name, ms) === 0) throw new InvalidArgumentError(`${name} must be more than 0 ms`);
}

/** @throws InvalidArgumentError */
export function wholeNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError(`${name} is ${value}: it must be a whole number, 0 or more`);
}

function encode(value: unknown): Pick<Draft, 'data' | 'format'> {
  if (value instanceof Uint8Array) {
    // A copy, because the application may reuse its bytes while the message waits.
    const data = Buffer.from(value);
    return { data, format: isJson(data) ? 'json' : 'binary' };
  }
  return { data: Buffer.from(toJson(value)), format: 'json' };
}

function toJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new UnencodableDataError(String(cause), cause);
  }
  if (text === undefined) throw new UnencodableDataError(`it is of type ${typeof value}`);
  return text;
}
