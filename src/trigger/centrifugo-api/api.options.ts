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
    responseMaxBytes: z
      .number()
      .int()
      .min(1_024)
      .default(4_194_304)
      .describe(
        'Largest size of the publications of a history, of the clients of a channel or of the names of channels in one response of ' +
          'that API, in bytes. A history that is larger ends early, and the caller can request the rest; the others are refused.',
      ),
    maxBatchCommands: z
      .number()
      .int()
      .min(1)
      .default(10_000)
      .describe('Most commands in one batch, and in one request of the former format.'),
    maxBroadcastChannels: z.number().int().min(1).default(50_000).describe('Most channels in one broadcast.'),
    maxTags: z.number().int().min(0).default(64).describe('Most tags of a publication.'),
    maxTagsBytes: z
      .number()
      .int()
      .min(0)
      .default(16_384)
      .describe('Largest size of the names and values of the tags of a publication together, in bytes.'),
  })
  .prefault({});

export type ApiOptions = z.output<typeof apiOptions>;
