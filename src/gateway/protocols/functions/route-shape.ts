import { z } from 'zod';
import { targetShape } from '../../../webhooks/index.js';

const count = z.number().int().min(1);

/** The settings that routes of both shapes have. */
export const routeShape = {
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'must be a path that begins with /')
    .describe(
      'Where its WebSockets are served. A segment that begins with `:` is a parameter, as in `/rooms/:room`.',
    ),
  forwardedHeaders: z
    .array(z.string().min(1))
    .max(64)
    .default(['*'])
    .describe(
      'Names of the headers of the handshake that the function for a connect receives. `*`: all of them.',
    ),
  pushSecrets: z
    .array(z.string().regex(/^[\w.~-]{16,256}$/, 'must be 16 to 256 letters, digits, or any of _ . ~ -'))
    .max(4)
    .default([])
    .meta({ secret: true })
    .describe(
      'Secrets of the URLs `/push/ROUTE/SECRET`, over which functions push without an API key. With two, one can be replaced while ' +
        'the other is in use.',
    ),
  maxPendingMessages: count
    .default(32)
    .describe(
      'How many messages of one client may wait for their call. Nothing more is read from the client until there are fewer.',
    ),
  maxConcurrentCalls: count
    .default(64)
    .describe(
      'How many calls of one function may run at the same time. Messages and cleanups wait; clients that arrive get 503.',
    ),
  ...targetShape,
};

export function functionUrl(when: string) {
  return z
    .url({ protocol: /^https?$/ })
    .meta({ secret: true })
    .describe(
      `Called ${when}. A user and password in it are sent as Basic authentication, and never logged.`,
    );
}
