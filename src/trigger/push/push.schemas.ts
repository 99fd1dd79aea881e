import { z } from 'zod';
import { channel, messageId, time, triggerSchemas } from '../trigger.schemas.js';

export const pushAnswer = z
  .strictObject({
    channel,
    messages: z
      .array(
        z.strictObject({
          id: messageId,
          lane: z.enum(['instant', 'delayed']),
          dueAt: time.describe('When it is due; never earlier.'),
        }),
      )
      .describe('One for each copy, the instant one first.'),
  })
  .register(triggerSchemas, { id: 'PushAnswer' });

export type PushAnswer = z.output<typeof pushAnswer>;
