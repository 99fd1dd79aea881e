import { ConflictingParametersError, parametersOf, type Query } from '../../http/index.js';
import type { PushRequest } from './push-request.js';
import { targetChannel } from './target.js';
import { readExpiresIn, readTiming } from './timing.js';
import { InvalidLanesError } from '../trigger.errors.js';
import type { TriggerOptions } from '../trigger.options.js';

const NAMES = ['lanes', 'delay', 'deliverAt', 'expiresIn', 'channel', 'user', 'connection'] as const;

/** The accepted values of `lanes`. */
const LANES = new Map([
  ['instant', { instant: true, delayed: false }],
  ['delayed', { instant: false, delayed: true }],
  ['instant,delayed', { instant: true, delayed: true }],
  ['delayed,instant', { instant: true, delayed: true }],
  ['both', { instant: true, delayed: true }],
]);

export interface PushParameters extends Pick<PushRequest, 'instant' | 'delayed' | 'expiresInMs'> {
  /** Absent: the channel of the caller. */
  readonly channel?: string;
}

/**
 * Reads the query of `POST /trigger`.
 * @throws the error of the first parameter that is invalid
 */
export function readPushParameters(
  query: Query,
  options: Pick<TriggerOptions, 'defaultDelayMs' | 'maxDelayMs'>,
): PushParameters {
  const parameters = parametersOf(query, NAMES);
  const lanes = LANES.get(parameters.get('lanes') ?? 'both');
  if (lanes === undefined)
    throw new InvalidLanesError('lanes must be instant, delayed, or both as instant,delayed');
  const timing = readTiming(parameters.get('delay'), parameters.get('deliverAt'), options.maxDelayMs);
  if (timing !== undefined && !lanes.delayed)
    throw new ConflictingParametersError(
      'delay and deliverAt apply to the delayed copy, which lanes=instant excludes',
    );
  const expiresInMs = readExpiresIn(parameters.get('expiresIn'), options.maxDelayMs);
  const channel = targetChannel(parameters);
  return {
    instant: lanes.instant,
    ...(lanes.delayed ? { delayed: timing ?? { afterMs: options.defaultDelayMs } } : {}),
    ...(expiresInMs !== undefined ? { expiresInMs } : {}),
    ...(channel !== undefined ? { channel } : {}),
  };
}
