import { backoffMs, jittered } from '../../../async/index.js';
import type { PulsarDriverOptions } from './pulsar.options.js';

const INITIAL_MS = 50;

/**
 * Returns the pause in ms before the next attempt to connect. Jitter keeps replicas from reconnecting at the same
 * moment.
 */
export function reconnectDelayMs(attempt: number, { reconnectMaxDelayMs }: PulsarDriverOptions): number {
  return jittered(backoffMs(attempt, INITIAL_MS, reconnectMaxDelayMs), 0.5);
}
