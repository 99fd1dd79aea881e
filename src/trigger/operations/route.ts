import { readExpiresIn, readTiming, type Timing } from '../push/timing.js';
import type { TriggerOptions } from '../trigger.options.js';
import { badRequest } from '../centrifugo-api/api.errors.js';
import type { PublicationFields } from '../centrifugo-api/requests.js';

const NAMES = { deliverAt: 'deliver_at', expiresIn: 'expires_in' };

/** Which way a publication takes, and when. */
export interface Itinerary {
  /** Straight to delivery, or by the instant lane, or by the delayed lane until it is due. */
  readonly lane: 'direct' | 'instant' | 'delayed';
  readonly timing?: Timing;
  readonly expiresInMs?: number;
}

/**
 * Reads `delay`, `deliver_at`, `expires_in` and `via`. Undefined where none is given: then it is an ordinary publication.
 * @throws ApiRefusal, and what {@link readTiming} and {@link readExpiresIn} refuse
 */
export function readItinerary(
  request: PublicationFields,
  { maxDelayMs }: Pick<TriggerOptions, 'maxDelayMs'>,
): Itinerary | undefined {
  const delay = valueOf(request.delay);
  const deliverAt = valueOf(request.deliverAt);
  const expiresIn = valueOf(request.expiresIn);
  const via = valueOf(request.via);
  if (delay === undefined && deliverAt === undefined && expiresIn === undefined && via === undefined)
    return undefined;
  if (via !== undefined && via !== 'direct' && via !== 'bus') throw badRequest('via must be direct or bus');
  const timing = readTiming(durationText('delay', delay), timestampText(deliverAt), maxDelayMs, NAMES);
  const expiresInMs = readExpiresIn(durationText(NAMES.expiresIn, expiresIn), maxDelayMs, NAMES);
  if (timing !== undefined && via === 'direct')
    throw badRequest('what is delayed waits in a lane: via cannot be direct');
  return {
    lane: timing !== undefined ? 'delayed' : via === 'bus' ? 'instant' : 'direct',
    ...(timing !== undefined ? { timing } : {}),
    ...(expiresInMs !== undefined ? { expiresInMs } : {}),
  };
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

/** A null counts as absent. */
function valueOf(json: Buffer | undefined): unknown {
  return json === undefined ? undefined : ((JSON.parse(json.toString()) as unknown) ?? undefined);
}
