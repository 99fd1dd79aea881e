import { z } from 'zod';
import { tokensOptions } from '../gateway/index.js';

/** How the callbacks of a Centrifugo are answered. */
export const callbacksOptions = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Answers the proxy requests of a Centrifugo at `/centrifugo/connect`, `/subscribe`, `/publish` and others.',
      ),
    insecure: z
      .boolean()
      .default(false)
      .describe('Accepts callbacks without an API key. Works only on a loopback address.'),
    allowAnonymous: z
      .boolean()
      .default(false)
      .describe('Lets clients connect without a token, as anonymous clients.'),
    tokens: tokensOptions
      .optional()
      .describe(
        'Tokens that clients send in the data of their connect, as `token`. The default is `gateway.client.tokens`.',
      ),
    topic: z
      .string()
      .min(1)
      .max(200)
      .default('partition')
      .describe('Topic of the events: what was allowed to connect, to subscribe and to publish.'),
    driver: z
      .enum(['memory', 'kafka', 'pulsar', 'redis'])
      .optional()
      .describe('Driver of the topic. The default is `bus.defaultDriver`.'),
    answerTimeoutMs: z
      .number()
      .int()
      .min(1)
      .default(900)
      .describe(
        'How long a callback may take, in ms: then it gets a 503, and the client a temporary error. Centrifugo itself waits 1 s by default.',
      ),
  })
  .prefault({});

export type CallbacksOptions = z.output<typeof callbacksOptions>;
