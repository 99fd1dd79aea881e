import type { Route } from '../operations/publishing.js';
import { readExpiresIn, readTiming } from '../push/timing.js';
import { badRequest } from './api.errors.js';
import type { PublicationFields } from './requests.js';

const NAMES = { deliverAt: 'deliver_at', expiresIn: 'expires_in' };

/**
 * Reads `delay`, `deliver_at`, `expires_in` and `via`. Returns undefined if none is given: it is an ordinary publication.
 * @throws ApiRefusal, and what {@link readTiming} and {@link readExpiresIn} throw
 */
export function readRoute(fields: PublicationFields, maxDelayMs: number): Route | undefined {
  const delay = valueOf(fields.delay);
  const deliverAt = valueOf(fields.deliverAt);
  const expiresIn = valueOf(fields.expiresIn);
  const via = valueOf(fields.via);
  if (delay === undefined && deliverAt === undefined && expiresIn === undefined && via === undefined)
    return undefined;
  if (via !== undefined && via !== 'direct' && via !== 'bus') throw badRequest('via must be direct or bus');
  const timing = readTiming(durationText('delay', delay), timestampText(deliverAt), maxDelayMs, NAMES);
  const expiresInMs = readExpiresIn(durationText(NAMES.expiresIn, expiresIn), maxDelayMs, NAMES);
  if (timing !== undefined && via === 'direct')
    throw badRequest('via must not be direct if there is a delay: a delayed message waits in a lane');
  return {
    lane: timing !== undefined ? 'delayed' : via === 'bus' ? 'instant' : 'direct',
    ...(timing !== undefined ? { timing } : {}),
    ...(expiresInMs !== undefined ? { expiresInMs } : {}),
  };
}

/** A null counts as absent. */
function valueOf(json: Buffer | undefined): unknown {
  return json === undefined ? undefined : ((JSON.parse(json.toString()) as unknown) ?? undefined);
}

function durationText(name: string, given: unknown): string | undefined {
  if (given === undefined || typeof given === 'string') return given;
  if (typeof given === 'number') return String(given);
  throw badRequest(`${name} must be whole milliseconds or an ISO 8601 duration such as PT3S`);
}

function timestampText(given: unknown): string | undefined {
  if (given === undefined || typeof given === 'string') return given;
  throw badRequest(`${NAMES.deliverAt} must be an RFC 3339 timestamp such as 2030-01-31T09:00:00Z`);
}
