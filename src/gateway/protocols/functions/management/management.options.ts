import { z } from 'zod';

const accessKey = z.strictObject({
  id: z
    .string()
    .regex(/^\w{4,128}$/, 'must be 4 to 128 letters, digits or _')
    .describe('The access key id, which a request names.'),
  secret: z.string().min(16).describe('The secret access key. At least 16 characters.'),
});

/** Settings of the calls of AWS's management API, `/@connections/ID`. */
export const managementOptions = z
  .strictObject({
    accessKeys: z
      .array(accessKey)
      .max(16)
      .default([])
      .meta({ secret: true })
      .describe(
        'Access keys whose signatures (AWS Signature Version 4) are accepted beside an API key. With two, one can be replaced while the ' +
          'other is in use.',
      ),
    maxClockSkewMs: z
      .number()
      .int()
      .min(1_000)
      .default(300_000)
      .describe('How far the time of a signature may be from the clock of this process, in ms.'),
    maxMessageBytes: z
      .number()
      .int()
      .min(1)
      .default(131_072)
      .describe('The largest message that may be posted to a connection, in bytes. A larger one gets 413.'),
  })
  .prefault({});

export type ManagementOptions = z.output<typeof managementOptions>;
