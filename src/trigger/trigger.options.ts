import { z } from 'zod';

const DAY_MS = 86_400_000;

/** What callers may ask for, and how much of it. */
export const triggerOptions = z
  .strictObject({
    apiKeys: z
      .array(
        z
          .string()
          .regex(
            /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
            'must be of visible ASCII characters: nothing else arrives in a header as it was sent',
          ),
      )
      .default([])
      .meta({ secret: true })
      .describe(
        'One of these a caller must show to reach anybody but itself. Several, so that one can be replaced while the old ' +
          'one still works. None: nobody can. Fewer than 16 characters can be guessed.',
      ),
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
    rateLimit: z
      .strictObject({
        perSecond: z
          .number()
          .min(0)
          .default(1000)
          .describe(
            'Requests a second of one address (of IPv6, one /64 network), sustained, without an API key. 0: no limit.',
          ),
        burst: z
          .number()
          .int()
          .min(1)
          .default(5000)
          .describe('Requests of one address that may come at once after a rest.'),
      })
      .prefault({}),
  })
  .prefault({});

export type TriggerOptions = z.output<typeof triggerOptions>;

/** What the HTTP server of the process accepts. */
export const httpOptions = z
  .strictObject({
    bodyLimitBytes: z
      .number()
      .int()
      .min(1)
      .default(65_536)
      .describe('Largest request body, in bytes. The instant lane must be able to carry it.'),
    maxHeaderBytes: z
      .number()
      .int()
      .min(1024)
      .default(16_384)
      .describe('Largest request line and headers together, in bytes.'),
    requestTimeoutMs: z
      .number()
      .int()
      .min(100)
      .default(10_000)
      .describe('Longest time in which a request must have arrived whole, in ms.'),
    keepAliveTimeoutMs: z
      .number()
      .int()
      .min(0)
      .default(72_000)
      .describe(
        'How long an idle connection stays open for the next request, in ms. Longer than that of the load balancer.',
      ),
  })
  .prefault({});

export type HttpOptions = z.output<typeof httpOptions>;
