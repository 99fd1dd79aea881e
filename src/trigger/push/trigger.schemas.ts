import { z } from 'zod';

/** Each has its id in the OpenAPI document. */
export const apiSchemas = z.registry<{ id: string }>();

/**
 * The JSON that callers send and receive, for the documentation and for what is checked. Times are RFC 3339 in UTC with ms,
 * so that what is read here can be sent back as `deliverAt`.
 */
const time = z.iso.datetime({ precision: 3 }).meta({ examples: ['2030-01-31T09:00:03.000Z'] });
const messageId = z.uuidv7().meta({ examples: ['0198c1f0-7b3a-7c52-9d0e-2f6a4b8c1d3e'] });
const channel = z
  .string()
  .describe(
    'Where it goes. A user, a connection and an identity have a channel of their own, which begins with ~.',
  )
  .meta({ examples: ['news'] });

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
  .register(apiSchemas, { id: 'PushAnswer' });

const scheduledFields = {
  id: messageId,
  channel,
  createdAt: time,
  dueAt: time,
  expiresAt: time.optional().describe('When it is dropped if it was not delivered by then.'),
};

export const scheduled = z.strictObject(scheduledFields).register(apiSchemas, { id: 'Scheduled' });

export const scheduledWithData = z
  .strictObject({
    ...scheduledFields,
    data: z.unknown().optional().describe('The JSON that is to arrive.'),
    base64: z.base64().optional().describe('In the place of data, where the message is not JSON.'),
  })
  .register(apiSchemas, { id: 'ScheduledWithData' });

export const schedulePage = z
  .strictObject({
    schedules: z.array(scheduled).describe('By due time.'),
    next: z.string().optional().describe('The cursor of the next page; absent on the last one.'),
  })
  .register(apiSchemas, { id: 'SchedulePage' });

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
  .register(apiSchemas, { id: 'Reschedule' });

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

export const deadLetter = z.strictObject(deadLetterFields).register(apiSchemas, { id: 'DeadLetter' });

export const deadLetterWithData = z
  .strictObject({
    ...deadLetterFields,
    headers: z.record(z.string(), z.string()),
    data: z.unknown().optional().describe('The body, where it is JSON.'),
    base64: z.base64().optional().describe('In the place of data, where it is not.'),
  })
  .register(apiSchemas, { id: 'DeadLetterWithData' });

export const deadLetterPage = z
  .strictObject({
    deadLetters: z.array(deadLetter).describe('By the time of their publishing.'),
    next: z.string().optional().describe('The cursor of the next page; absent on the last one.'),
  })
  .register(apiSchemas, { id: 'DeadLetterPage' });

export const redriven = z
  .strictObject({ redriven: z.int().describe('How many are tried again.') })
  .register(apiSchemas, { id: 'Redriven' });

export const errorAnswer = z
  .strictObject({
    error: z.strictObject({
      code: z
        .string()
        .describe('Stable; see docs/http-api.md.')
        .meta({ examples: ['invalid_json'] }),
      message: z
        .string()
        .describe('For people; may change.')
        .meta({ examples: ['the body is not valid JSON'] }),
    }),
  })
  .register(apiSchemas, { id: 'ErrorAnswer' });

export type PushAnswer = z.output<typeof pushAnswer>;
export type Scheduled = z.output<typeof scheduled>;
export type SchedulePageAnswer = z.output<typeof schedulePage>;
export type DeadLetter = z.output<typeof deadLetter>;
export type DeadLetterPageAnswer = z.output<typeof deadLetterPage>;
export type Redriven = z.output<typeof redriven>;
export type ErrorAnswer = z.output<typeof errorAnswer>;
