import { z } from 'zod';
import { messageId, time, triggerSchemas } from '../trigger.schemas.js';

const deadLetterFields = {
  id: messageId,
  group: z
    .string()
    .describe('The consumer that failed to handle it: module-consumer.')
    .meta({ examples: ['task-daily'] }),
  event: z
    .string()
    .describe('Name of the event. For a record of another program: its topic.')
    .meta({ examples: ['anchor-income'] }),
  driver: z.enum(['memory', 'kafka', 'pulsar', 'redis']),
  topic: z.string(),
  partition: z.int(),
  position: z
    .string()
    .describe("The broker's identifier of the record: an offset, an entry id or a message id."),
  key: z.string().optional(),
  attempts: z.int().describe('Number of attempts.'),
  reason: z.strictObject({
    code: z
      .string()
      .describe('The error code, or handler_failed.')
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
    data: z.unknown().optional().describe('The body, if it is JSON.'),
    base64: z.base64().optional().describe('The body, if it is not JSON.'),
  })
  .register(triggerSchemas, { id: 'DeadLetterWithData' });

export const deadLetterPage = z
  .strictObject({
    deadLetters: z.array(deadLetter).describe('Ordered by the time at which they were published.'),
    next: z.string().optional().describe('The cursor of the next page. Absent on the last page.'),
  })
  .register(triggerSchemas, { id: 'DeadLetterPage' });

export const redriven = z
  .strictObject({ redriven: z.int().describe('Number of dead letters that will be handled again.') })
  .register(triggerSchemas, { id: 'Redriven' });

export type DeadLetter = z.output<typeof deadLetter>;
export type DeadLetterPage = z.output<typeof deadLetterPage>;
export type Redriven = z.output<typeof redriven>;
