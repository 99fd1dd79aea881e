import { z } from 'zod';
import { channel, messageId, time, triggerSchemas } from '../trigger.schemas.js';

const scheduledFields = {
  id: messageId,
  channel,
  createdAt: time,
  dueAt: time,
  expiresAt: time.optional().describe('When it is dropped if it was not delivered by then.'),
};

export const scheduled = z.strictObject(scheduledFields).register(triggerSchemas, { id: 'Scheduled' });

export const scheduledWithData = z
  .strictObject({
    ...scheduledFields,
    data: z.unknown().optional().describe('The JSON that is to arrive.'),
    base64: z.base64().optional().describe('In the place of data, where the message is not JSON.'),
  })
  .register(triggerSchemas, { id: 'ScheduledWithData' });

export const schedulePage = z
  .strictObject({
    schedules: z.array(scheduled).describe('By due time.'),
    next: z.string().optional().describe('The cursor of the next page; absent on the last one.'),
  })
  .register(triggerSchemas, { id: 'SchedulePage' });

export const reschedule = z
  .strictObject({
    delay: z
      .union([z.number(), z.string()])
      .optional()
      .describe('From now: whole milliseconds, or an ISO 8601 duration.')
      .meta({ examples: [60_000, 'PT1M'] }),
    deliverAt: z
      .string()
      .optional()
      .describe('RFC 3339 timestamp.')
      .meta({ examples: ['2030-01-31T09:00:00Z'] }),
  })
  .describe('Exactly one of the two.')
  .register(triggerSchemas, { id: 'Reschedule' });

export type Scheduled = z.output<typeof scheduled>;
export type SchedulePageAnswer = z.output<typeof schedulePage>;
