import { backoffMs } from '../time-limit.js';
import type { PulsarDriverOptions } from './pulsar.options.js';

/** The pause before attempt `attempt` + 1 to connect, with jitter, so that replicas do not all come at once. */
export function reconnectDelayMs(attempt: number, { reconnectMaxDelayMs }: PulsarDriverOptions): number {
  return backoffMs(attempt, 50, reconnectMaxDelayMs) * (0.5 + Math.random() / 2);
}
