import { z } from 'zod';
import { channel, messageId, time, triggerSchemas } from '../trigger.schemas.js';

export const pushResponse = z
  .strictObject({
    channel,
    messages: z
      .array(
        z.strictObject({
          id: messageId,
          lane: z.enum(['instant', 'delayed']),
          dueAt: time.describe('When it is due. It is never delivered earlier.'),
        }),
      )
      .describe('One message for each copy, the instant one first.'),
  })
  .register(triggerSchemas, { id: 'PushAnswer' });

export type PushResponse = z.output<typeof pushResponse>;
