import type { ScheduleQuery } from '../../bus/index.js';
import {
  ConflictingParametersError,
  InvalidBodyError,
  parametersOf,
  readCursor,
  readLimit,
  UnknownFieldError,
  type Query,
} from '../../http/index.js';
import { TARGET_PARAMETERS, targetChannel } from '../push/target.js';
import { readTiming, type Timing } from '../push/timing.js';
import { InvalidDelayError, InvalidDeliverAtError } from '../trigger.errors.js';
import { reschedule } from './schedules.schemas.js';

/**
 * Reads the query of `GET /schedules`.
 * @throws the error of the first parameter that is invalid
 */
export function readScheduleQuery(query: Query): ScheduleQuery {
  const parameters = parametersOf(query, ['limit', 'cursor', ...TARGET_PARAMETERS]);
  const channel = targetChannel(parameters);
  const cursor = parameters.get('cursor');
  return {
    limit: readLimit(parameters.get('limit')),
    ...(cursor !== undefined ? { cursor: readCursor('schedules', cursor) } : {}),
    ...(channel !== undefined ? { channel } : {}),
  };
}

/**
 * Reads the body of `PATCH /schedules/{id}`.
 * @throws InvalidBodyError, UnknownFieldError, ConflictingParametersError, and what {@link readTiming} throws
 */
export function readReschedule(body: unknown, maxDelayMs: number): Timing {
  const parsed = reschedule.safeParse(body);
  if (!parsed.success) throw refusalOf(parsed.error.issues[0]);
  const { delay, deliverAt } = parsed.data;
  const timing = readTiming(delay?.toString(), deliverAt, maxDelayMs);
  if (timing === undefined) throw new ConflictingParametersError('one of delay and deliverAt is required');
  return timing;
}

function refusalOf(
  issue: { readonly code: string; readonly path: readonly PropertyKey[] } | undefined,
): Error {
  if (issue?.code === 'unrecognized_keys')
    return new UnknownFieldError('unknown field: the body accepts delay and deliverAt');
  switch (issue?.path[0]) {
    case 'delay':
      return new InvalidDelayError('delay must be whole milliseconds or an ISO 8601 duration such as PT3S');
    case 'deliverAt':
      return new InvalidDeliverAtError(
        'deliverAt must be an RFC 3339 timestamp such as 2030-01-31T09:00:00Z',
      );
    default:
      return new InvalidBodyError('the body must be a JSON object');
  }
}
