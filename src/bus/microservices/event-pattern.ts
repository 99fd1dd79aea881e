import { ConsumerRefusedError } from '../consumers/consumer.errors.js';

/** The event that a pattern selects. */
export interface EventAddress {
  readonly topic: string;
  readonly event: string;
}

/**
 * Parses a pattern: the name of an event on the default topic, or `{ topic, event }`, which Nest converts to JSON.
 *
 * @throws {ConsumerRefusedError}
 */
export function parseEventPattern(pattern: unknown, defaultTopic: string): EventAddress {
  const parsed =
    typeof pattern === 'string' && pattern.startsWith('{') ? (JSON.parse(pattern) as unknown) : pattern;
  if (typeof parsed === 'string') return { topic: defaultTopic, event: parsed };
  const { topic = defaultTopic, event } = (parsed ?? {}) as Partial<Record<string, unknown>>;
  if (typeof topic === 'string' && typeof event === 'string') return { topic, event };
  throw new ConsumerRefusedError(
    `pattern ${JSON.stringify(pattern)} is not valid: expected the name of an event, or { topic, event }`,
  );
}
