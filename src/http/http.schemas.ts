import { z } from 'zod';

/** Schemas with their ids in the OpenAPI document. */
export type SchemaRegistry = z.core.$ZodRegistry<{ id: string }>;

export const httpSchemas: SchemaRegistry = z.registry<{ id: string }>();

export const errorAnswer = z
  .strictObject({
    error: z.strictObject({
      code: z
        .string()
        .describe('Stable. The documentation of the HTTP API lists all codes.')
        .meta({ examples: ['invalid_json'] }),
      message: z
        .string()
        .describe('For humans. It may change.')
        .meta({ examples: ['the body is not valid JSON'] }),
    }),
  })
  .register(httpSchemas, { id: 'ErrorAnswer' });

export type ErrorAnswer = z.output<typeof errorAnswer>;
