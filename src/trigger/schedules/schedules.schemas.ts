import { z } from 'zod';
import { channel, messageId, time, triggerSchemas } from '../trigger.schemas.js';

const scheduledFields = {
  id: messageId,
  channel,
  createdAt: time,
  dueAt: time,
  expiresAt: time.optional().describe('When the message is dropped if it was not delivered.'),
};

export const scheduled = z.strictObject(scheduledFields).register(triggerSchemas, { id: 'Scheduled' });

export const scheduledWithData = z
  .strictObject({
    ...scheduledFields,
    data: z.unknown().optional().describe('The JSON to deliver.'),
    base64: z.base64().optional().describe('Instead of data, if the message is not JSON.'),
  })
  .register(triggerSchemas, { id: 'ScheduledWithData' });

export const schedulePage = z
  .strictObject({
    schedules: z.array(scheduled).describe('Ordered by due time.'),
    next: z.string().optional().describe('The cursor of the next page. Absent on the last page.'),
  })
  .register(triggerSchemas, { id: 'SchedulePage' });

export const reschedule = z
  .strictObject({
    delay: z
      .union([z.number(), z.string()])
      .optional()
      .describe('Delay from now: whole milliseconds, or an ISO 8601 duration.')
      .meta({ examples: [60_000, 'PT1M'] }),
    deliverAt: z
      .string()
      .optional()
      .describe('Due time: an RFC 3339 timestamp.')
      .meta({ examples: ['2030-01-31T09:00:00Z'] }),
  })
  .describe('Exactly one of delay and deliverAt.')
  .register(triggerSchemas, { id: 'Reschedule' });

export type Scheduled = z.output<typeof scheduled>;
export type SchedulePage = z.output<typeof schedulePage>;
