import { ConsumerRefusedError } from '../consumers/consumer.errors.js';

/** Which event a pattern means. */
export interface EventPlace {
  readonly topic: string;
  readonly event: string;
}

/**
 * A pattern is the name of an event on the usual topic, or `{ topic, event }`. Nest turns the latter into JSON.
 *
 * @throws {ConsumerRefusedError}
 */
export function placeOf(pattern: unknown, usualTopic: string): EventPlace {
  const read =
    typeof pattern === 'string' && pattern.startsWith('{') ? (JSON.parse(pattern) as unknown) : pattern;
  if (typeof read === 'string') return { topic: usualTopic, event: read };
  const { topic = usualTopic, event } = (read ?? {}) as Partial<Record<string, unknown>>;
  if (typeof topic === 'string' && typeof event === 'string') return { topic, event };
  throw new ConsumerRefusedError(
    `pattern ${JSON.stringify(pattern)} is neither the name of an event nor { topic, event }`,
  );
}
