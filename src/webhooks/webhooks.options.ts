import { z } from 'zod';
import { isAddressRange } from './address-guard.js';
import { isSigningSecret } from './signature.js';

const count = z.number().int().min(1);
const ms = z.number().int().min(1);

const ranges = (text: string) =>
  z
    .array(z.string().refine(isAddressRange, 'must be an address or a range such as 10.0.0.0/8'))
    .default([])
    .describe(text);

/** The limits of all calls to backends. */
export const webhooksOptions = z
  .strictObject({
    maxConnections: count
      .default(1_024)
      .describe('The most connections of this process to all backends together. Further calls fail.'),
    maxConnectionsPerTarget: count
      .default(256)
      .describe(
        'The most calls to one target that run at the same time, each on its own connection. Others wait.',
      ),
    maxWaitingPerTarget: count
      .default(1_000)
      .describe('The most calls that wait for a connection to one target. Further calls fail.'),
    maxPendingBytesPerTarget: count
      .default(16_777_216)
      .describe('The most bytes in the running and waiting calls to one target. Further calls fail.'),
    addresses: z
      .strictObject({
        allow: ranges(
          'Addresses and CIDR ranges that may be called although they are link-local or those of metadata services.',
        ),
        deny: ranges('Addresses and CIDR ranges that may not be called. They win over `allow`.'),
      })
      .prefault({}),
    breaker: z
      .strictObject({
        failureShare: z
          .number()
          .gt(0)
          .lt(1)
          .default(0.5)
          .describe(
            'Share of failed calls (no connection, no answer in time, or status 502, 503 or 504) with which a target is suspended.',
          ),
        minimumCalls: count
          .default(20)
          .describe('How many calls have to be made within `windowMs` before a target can be suspended.'),
        windowMs: ms.max(600_000).default(10_000).describe('Time over which calls are counted, in ms.'),
        openMs: ms
          .default(2_000)
          .describe('How long no call is made to a suspended target, in ms. Then one call tries it.'),
      })
      .prefault({}),
  })
  .prefault({});

export type WebhooksOptions = z.output<typeof webhooksOptions>;

const pem = (what: string) =>
  z
    .string()
    .min(1)
    .optional()
    .describe(`${what}: PEM text, the same in base64, or the path of a PEM file.`)
    .meta({ secret: true });

/** How a backend is reached over TLS. */
export const targetTls = z
  .strictObject({
    ca: pem('Certificate authorities to trust instead of those of the system'),
    cert: pem('Certificate of this client'),
    key: pem('Key of the certificate of this client'),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe('The name in the certificate, if it is not the host of the URL.'),
    insecureSkipVerify: z
      .boolean()
      .default(false)
      .describe('Accepts every certificate. For development only.'),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    path: ['key'],
    message: 'cert and key have to be set together',
  });

export type TargetTls = z.output<typeof targetTls>;

/** The settings that every target has. A module adds them to its own. */
export const targetShape = {
  timeoutMs: ms
    .default(1_000)
    .describe('How long a call may take in all, in ms, with the wait for a connection.'),
  connectTimeoutMs: ms
    .optional()
    .describe('How long a call may wait for a connection, in ms. Default: as long as the whole call.'),
  headersTimeoutMs: ms
    .optional()
    .describe('How long the headers of the response may take, in ms. Default: as long as the whole call.'),
  bodyTimeoutMs: ms
    .optional()
    .describe('How long the body of the response may take, in ms. Default: as long as the whole call.'),
  maxResponseBytes: count.default(1_048_576).describe('Largest response body, in bytes.'),
  signingSecrets: z
    .array(z.string().refine(isSigningSecret, 'must be `whsec_` and 24 to 64 random bytes in base64'))
    .max(4)
    .default([])
    .describe(
      'Secrets with which calls are signed as Standard Webhooks say, such as `whsec_…`. With two, the receiver may use either.',
    )
    .meta({ secret: true }),
  tls: targetTls.optional(),
};

export type TargetOptions = z.output<z.ZodObject<typeof targetShape>>;
