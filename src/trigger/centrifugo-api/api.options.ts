import { z } from 'zod';

export const apiOptions = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether Centrifugo's server API is available at /api."),
    insecure: z
      .boolean()
      .default(false)
      .describe(
        'Serves that API without an API key. For development only: server.host must be a loopback address, and requests of ' +
          'web pages (with an Origin header) still need a key.',
      ),
    errorMode: z
      .enum(['reply', 'transport'])
      .default('reply')
      .describe(
        'How that API reports errors. reply: with status 200, inside the reply. transport: with an HTTP status. A request ' +
          'can choose transport with the header X-Centrifugo-Error-Mode.',
      ),
    bodyLimitBytes: z
      .number()
      .int()
      .min(1)
      .default(1_048_576)
      .describe('Largest request body of that API, in bytes. The body is read only if the API key is valid.'),
  })
  .prefault({});
