import { z } from 'zod';
import { tlsCaFile } from '../../../tls/index.js';
import { foreignRecordRule } from '../../../message/index.js';
import { drainTimeoutMs, redelivery } from '../../retries/redelivery.options.js';

const serviceUrl = z.string().refine(isServiceUrl, {
  error:
    'expected pulsar://, pulsar+ssl://, http(s):// or ws(s):// with a host, and neither credentials nor a query: ' +
    'the token has a setting of its own',
});

/** How the bus reaches Pulsar, for everything that uses it. */
export const pulsarDriverOptions = z.strictObject({
  serviceUrl: serviceUrl.describe(
    'Where Pulsar is. http(s):// or ws(s)://: its WebSocket API, which needs nothing installed. pulsar:// or pulsar+ssl://: ' +
      'the binary protocol, which needs the optional package pulsar-client.',
  ),
  token: z
    .string()
    .min(1)
    .optional()
    .describe('Token (JWT) that is shown to Pulsar. It travels in a header, never in a URL.')
    .meta({ secret: true }),
  tenant: z.string().min(1).default('public').describe('Tenant of topics that are named without one.'),
  namespace: z.string().min(1).default('default').describe('Namespace of topics that are named without one.'),
  tlsCaFile,
  connectTimeoutMs: z.int().min(100).default(3_000).describe('Longest wait for a connection, in ms.'),
  sendTimeoutMs: z
    .int()
    .min(100)
    .default(1_500)
    .describe(
      'Longest wait until Pulsar holds what was published, in ms. Then it fails as `broker_unavailable`.',
    ),
  maxInFlight: z
    .int()
    .min(1)
    .default(1_000)
    .describe('Messages per topic that are sent and not yet answered. Further ones wait their turn.'),
  maxInHand: z
    .int()
    .min(1)
    .default(1_000)
    .describe(
      'Messages that one consumer holds in memory: waiting for a handler, or for their acknowledgement.',
    ),
  prefetch: z
    .int()
    .min(1)
    .default(1_000)
    .describe(
      'Messages that wait for one consumer beyond those in hand, in the WebSocket proxy or the native client, and never more ' +
        'than `maxInHand`. They are out of reach of the other members; few of them cost throughput.',
    ),
  maxFrameBytes: z
    .int()
    .min(1_024)
    .default(1_048_576)
    .describe(
      "Largest frame for the WebSocket API, in bytes: the broker's `webSocketMaxTextFrameSize`. It drops a connection " +
        'over a larger one, so a message that would need it is refused here. A body travels as base64, a third longer.',
    ),
  pingIntervalMs: z
    .int()
    .min(100)
    .default(5_000)
    .describe('How often a connection is checked, in ms. One that is silent for twice as long is given up.'),
  reconnectMaxDelayMs: z
    .int()
    .min(10)
    .default(2_000)
    .describe('Longest pause between two attempts to connect, in ms. The pauses grow up to it, with jitter.'),
  ...redelivery,
  drainTimeoutMs,
});

export type PulsarDriverOptions = z.infer<typeof pulsarDriverOptions>;

/** The delayed lane on Pulsar. */
export const pulsarScheduleOptions = z.strictObject({
  topic: z
    .string()
    .min(1)
    .default('carillon.delayed')
    .describe('Topic of the delayed messages: a name, or persistent://tenant/namespace/name.'),
  subscription: z
    .string()
    .min(1)
    .default('carillon')
    .describe('Subscription (of type Shared). Replicas with the same one share the messages.'),
  maxDeliveries: z
    .int()
    .refine((value) => value === 0 || value >= 2, { error: 'expected 0 (never), or 2 or more' })
    .default(1_000)
    .describe(
      'After how many rejections by its handler a message goes to the dead letter topic; 0 is never. With the usual ' +
        'longest pause (a minute) the default is above sixteen hours, so that an outage of what comes after loses nothing.',
    ),
  deadLetterTopic: z
    .string()
    .min(1)
    .optional()
    .describe('Topic for dead letters. Without it TOPIC-SUBSCRIPTION-DLQ, as Pulsar calls it.'),
  maxHeld: z
    .int()
    .min(1)
    .default(2_000)
    .describe(
      'Messages that one process holds at a time: delivered by the broker ahead of their time (up to a second with its ' +
        'shipped settings), waiting for a handler, or for the pause after a rejection.',
    ),
  foreignRecords: foreignRecordRule
    .optional()
    .describe(
      'Where the channel of a record without Carillon headers comes from. Without a rule such a record is refused.',
    ),
});

export type PulsarScheduleOptions = z.infer<typeof pulsarScheduleOptions>;

function isServiceUrl(text: string): boolean {
  // Hosts of a cluster may be listed with commas, which URL does not know.
  if (!/^(pulsar(\+ssl)?|https?|wss?):\/\/[^/]/.test(text)) return false;
  if (/[?#@]/.test(text)) return false;
  return text.startsWith('pulsar') || URL.canParse(text);
}
