import { z } from 'zod';
import type { SchemaRegistry } from '../http/index.js';

/** The JSON that callers send and receive, each schema with its id in the OpenAPI document. */
export const triggerSchemas: SchemaRegistry = z.registry<{ id: string }>();

/** Times are RFC 3339 in UTC with ms, so that what is read here can be sent back as `deliverAt`. */
export const time = z.iso.datetime({ precision: 3 }).meta({ examples: ['2030-01-31T09:00:03.000Z'] });
export const messageId = z.uuidv7().meta({ examples: ['0198c1f0-7b3a-7c52-9d0e-2f6a4b8c1d3e'] });
export const channel = z
  .string()
  .describe(
    'Where it goes. A user, a connection and an identity have a channel of their own, which begins with ~.',
  )
  .meta({ examples: ['news'] });
