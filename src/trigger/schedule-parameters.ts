import type { ScheduleQuery } from '../bus/index.js';
import { parametersOf, type Query } from './parameters.js';
import { TARGET_PARAMETERS, targetChannel } from './target.js';
import { readTiming, type Timing } from './timing.js';
import {
  ConflictingParametersError,
  InvalidBodyError,
  InvalidCursorError,
  InvalidDelayError,
  InvalidDeliverAtError,
  InvalidLimitError,
  UnknownFieldError,
} from './trigger.errors.js';
import { reschedule } from './trigger.schemas.js';

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;
const MAX_CURSOR_LENGTH = 512;
/** Tells a cursor that was given out from any other text. */
const CURSOR_MARK = 'after ';

/**
 * Reads the query of `GET /schedules`.
 * @throws the refusal of the first parameter that is wrong
 */
export function readScheduleQuery(query: Query): ScheduleQuery {
  const parameters = parametersOf(query, ['limit', 'cursor', ...TARGET_PARAMETERS]);
  const channel = targetChannel(parameters);
  const cursor = parameters.get('cursor');
  return {
    limit: readLimit(parameters.get('limit')),
    ...(cursor !== undefined ? { cursor: readCursor(cursor) } : {}),
    ...(channel !== undefined ? { channel } : {}),
  };
}

/** The store's cursor in a form that needs no escaping in a URL. */
export function writeCursor(next: string): string {
  return Buffer.from(CURSOR_MARK + next).toString('base64url');
}

function readCursor(text: string): string {
  const decoded = text.length > MAX_CURSOR_LENGTH ? '' : Buffer.from(text, 'base64url').toString('utf8');
  if (!decoded.startsWith(CURSOR_MARK))
    throw new InvalidCursorError('cursor must be the next of an earlier page');
  return decoded.slice(CURSOR_MARK.length);
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new InvalidLimitError(`limit must be 1 to ${MAX_LIMIT}`);
  return limit;
}

/**
 * Reads the body of `PATCH /schedules/{id}`.
 * @throws InvalidBodyError, UnknownFieldError, ConflictingParametersError, and what {@link readTiming} refuses
 */
export function readReschedule(body: unknown, maxDelayMs: number): Timing {
  const parsed = reschedule.safeParse(body);
  if (!parsed.success) throw refusalOf(parsed.error.issues[0]);
  const { delay, deliverAt } = parsed.data;
  const timing = readTiming(delay?.toString(), deliverAt, maxDelayMs);
  if (timing === undefined) throw new ConflictingParametersError('one of delay and deliverAt is needed');
  return timing;
}

function refusalOf(
  issue: { readonly code: string; readonly path: readonly PropertyKey[] } | undefined,
): Error {
  if (issue?.code === 'unrecognized_keys') return new UnknownFieldError('the fields are delay and deliverAt');
  switch (issue?.path[0]) {
    case 'delay':
      return new InvalidDelayError('delay must be whole milliseconds or an ISO 8601 duration such as PT3S');
    case 'deliverAt':
      return new InvalidDeliverAtError('deliverAt must be an RFC 3339 timestamp');
    default:
      return new InvalidBodyError('the body must be a JSON object');
  }
}
