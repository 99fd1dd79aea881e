import { z } from 'zod';
import { messageId, time, triggerSchemas } from '../trigger.schemas.js';

const deadLetterFields = {
  id: messageId,
  group: z
    .string()
    .describe('The consumer that gave it up: module-consumer.')
    .meta({ examples: ['task-daily'] }),
  event: z
    .string()
    .describe('Name of the event; of a record of another program, its topic.')
    .meta({ examples: ['anchor-income'] }),
  driver: z.enum(['memory', 'kafka', 'pulsar', 'redis']),
  topic: z.string(),
  partition: z.int(),
  position: z.string().describe("The broker's name for its place: an offset, an entry id, a message id."),
  key: z.string().optional(),
  attempts: z.int().describe('How often it was tried.'),
  reason: z.strictObject({
    code: z
      .string()
      .describe('The code of the error, or handler_failed.')
      .meta({ examples: ['handler_failed'] }),
    message: z.string(),
  }),
  publishedAt: time,
  firstFailedAt: time,
  lastFailedAt: time,
};

export const deadLetter = z.strictObject(deadLetterFields).register(triggerSchemas, { id: 'DeadLetter' });

export const deadLetterWithData = z
  .strictObject({
    ...deadLetterFields,
    headers: z.record(z.string(), z.string()),
    data: z.unknown().optional().describe('The body, where it is JSON.'),
    base64: z.base64().optional().describe('In the place of data, where it is not.'),
  })
  .register(triggerSchemas, { id: 'DeadLetterWithData' });

export const deadLetterPage = z
  .strictObject({
    deadLetters: z.array(deadLetter).describe('By the time of their publishing.'),
    next: z.string().optional().describe('The cursor of the next page; absent on the last one.'),
  })
  .register(triggerSchemas, { id: 'DeadLetterPage' });

export const redriven = z
  .strictObject({ redriven: z.int().describe('How many are tried again.') })
  .register(triggerSchemas, { id: 'Redriven' });

export type DeadLetter = z.output<typeof deadLetter>;
export type DeadLetterPageAnswer = z.output<typeof deadLetterPage>;
export type Redriven = z.output<typeof redriven>;
