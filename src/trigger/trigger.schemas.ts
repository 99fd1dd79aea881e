import { z } from 'zod';
import type { SchemaRegistry } from '../http/index.js';

/** The schemas of the JSON that callers send and receive, with their ids in the OpenAPI document. */
export const triggerSchemas: SchemaRegistry = z.registry<{ id: string }>();

/** Times are RFC 3339 in UTC with ms, so that a time from a response can be sent as `deliverAt`. */
export const time = z.iso.datetime({ precision: 3 }).meta({ examples: ['2030-01-31T09:00:03.000Z'] });
export const messageId = z.uuidv7().meta({ examples: ['0198c1f0-7b3a-7c52-9d0e-2f6a4b8c1d3e'] });
export const channel = z
  .string()
  .describe(
    'The channel to which the message is delivered. Each user, connection and identity has its own channel, which begins with ~.',
  )
  .meta({ examples: ['news'] });
