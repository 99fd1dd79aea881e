import { z } from 'zod';
import { apiKeysOption, callerRateLimitOptions } from '../http/index.js';

const DAY_MS = 86_400_000;

/** What callers may ask for, and how much of it. */
export const triggerOptions = z
  .strictObject({
    apiKeys: apiKeysOption,
    defaultDelayMs: z
      .number()
      .int()
      .min(0)
      .default(3000)
      .describe('Delay of the delayed copy when the request names none, in ms.'),
    maxDelayMs: z
      .number()
      .int()
      .min(1)
      .default(30 * DAY_MS)
      .describe('Longest delay that may be asked for, in ms. It bounds expiresIn too.'),
    maxJsonDepth: z
      .number()
      .int()
      .min(1)
      .max(512)
      .default(64)
      .describe('Deepest nesting of arrays and objects in a body, in levels.'),
    answerTimeoutMs: z
      .number()
      .int()
      .min(1)
      .default(1500)
      .describe('Longest wait for the lanes before the caller is told to try again (503), in ms.'),
    idempotency: z
      .strictObject({
        ttlMs: z
          .number()
          .int()
          .min(1000)
          .default(3_600_000)
          .describe('How long the answer to an Idempotency-Key is remembered, in ms.'),
        maxKeyLength: z
          .number()
          .int()
          .min(1)
          .default(255)
          .describe('Longest Idempotency-Key, in characters.'),
      })
      .prefault({}),
    api: z
      .strictObject({
        enabled: z.boolean().default(true).describe("Whether Centrifugo's server API is at /api."),
        insecure: z
          .boolean()
          .default(false)
          .describe(
            'Serves that API without a key. For development only: server.host has to be a loopback address, and requests of web ' +
              'pages (with an Origin header) still need a key.',
          ),
        errorMode: z
          .enum(['reply', 'transport'])
          .default('reply')
          .describe(
            'How errors of that API are answered: with status 200 inside the reply, or with a status of their own. A ' +
              'request may ask for the latter by X-Centrifugo-Error-Mode.',
          ),
        bodyLimitBytes: z
          .number()
          .int()
          .min(1)
          .default(1_048_576)
          .describe(
            'Largest body of a request to that API, in bytes. It is read of callers with a key only.',
          ),
      })
      .prefault({}),
    rateLimit: callerRateLimitOptions,
  })
  .prefault({});

export type TriggerOptions = z.output<typeof triggerOptions>;
