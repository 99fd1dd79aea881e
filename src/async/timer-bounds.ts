import type { z } from 'zod';

/** A longer time makes Node's timers fire after 1 ms (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Durations that are added to a time and stored, and never wait in a timer. */
const STORED = /^(?:ttl|historyTtl|historyMetaTtl|deadLetterTtl|maxDelay|maxStale)Ms$/;

/** Reports every duration of the options of a module, or of a whole configuration, that is too long for a timer. Durations are known by their names. */
export function checkTimers(value: unknown, context: z.RefinementCtx, path: readonly string[] = []): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    const at = [...path, name];
    if (typeof child !== 'number') checkTimers(child, context, at);
    else if (name.endsWith('Ms') && !STORED.test(name) && child > LONGEST_TIMER_MS)
      context.addIssue({
        code: 'custom',
        path: at,
        message: `${child} is too long: it must be at most ${LONGEST_TIMER_MS} (24.8 days)`,
      });
  }
}
