import { z } from 'zod';
import { apiOptions } from './centrifugo-api/api.options.js';
import { apiKeysOption, callerRateLimitOptions } from '../http/index.js';

const DAY_MS = 86_400_000;

/** What callers may request. */
export const triggerOptions = z
  .strictObject({
    apiKeys: apiKeysOption,
    defaultDelayMs: z
      .number()
      .int()
      .min(0)
      .default(3000)
      .describe('Delay of the delayed copy if the request has none, in ms.'),
    maxDelayMs: z
      .number()
      .int()
      .min(1)
      .default(30 * DAY_MS)
      .describe('Longest accepted delay, in ms. It also limits expiresIn.'),
    maxJsonDepth: z
      .number()
      .int()
      .min(1)
      .max(512)
      .default(64)
      .describe('Deepest accepted nesting of arrays and objects in a body, in levels.'),
    answerTimeoutMs: z
      .number()
      .int()
      .min(1)
      .default(1500)
      .describe('How long a request waits for the lanes before it gets a 503, in ms.'),
    idempotency: z
      .strictObject({
        ttlMs: z
          .number()
          .int()
          .min(1000)
          .default(3_600_000)
          .describe('How long the response to an Idempotency-Key is stored, in ms.'),
        maxKeyLength: z
          .number()
          .int()
          .min(1)
          .default(255)
          .describe('Longest accepted Idempotency-Key, in characters.'),
      })
      .prefault({}),
    api: apiOptions,
    rateLimit: callerRateLimitOptions,
  })
  .prefault({});

export type TriggerOptions = z.output<typeof triggerOptions>;
