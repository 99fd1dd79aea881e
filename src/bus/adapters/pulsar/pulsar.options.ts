import { z } from 'zod';
import { tlsCaFile } from '../../../tls/index.js';
import { foreignRecordRule } from '../../../message/index.js';
import { drainTimeoutMs, redelivery } from '../../retries/redelivery.options.js';

const serviceUrl = z.string().refine(isServiceUrl, {
  error:
    'expected pulsar://, pulsar+ssl://, http(s):// or ws(s):// with a host, and no credentials and no query ' +
    '(the token has a setting of its own)',
});

/** How the bus reaches Pulsar. Both lanes use these options. */
export const pulsarDriverOptions = z.strictObject({
  serviceUrl: serviceUrl.describe(
    'URL of Pulsar. http(s):// and ws(s):// use its WebSocket API, for which nothing has to be installed. pulsar:// and ' +
      'pulsar+ssl:// use its binary protocol, which needs the optional package pulsar-client.',
  ),
  token: z
    .string()
    .min(1)
    .optional()
    .describe('Token (JWT) for Pulsar. It is sent in a header, never in a URL.')
    .meta({ secret: true }),
  tenant: z.string().min(1).default('public').describe('Tenant of topics whose names do not include one.'),
  namespace: z
    .string()
    .min(1)
    .default('default')
    .describe('Namespace of topics whose names do not include one.'),
  tlsCaFile,
  connectTimeoutMs: z
    .int()
    .min(100)
    .default(3_000)
    .describe('Maximum time to establish a connection, in ms.'),
  sendTimeoutMs: z
    .int()
    .min(100)
    .default(1_500)
    .describe(
      'Maximum time until Pulsar has stored a published message, in ms. Then publishing fails with `broker_unavailable`.',
    ),
  maxInFlight: z
    .int()
    .min(1)
    .default(1_000)
    .describe(
      'Largest number of messages per topic that are sent and not confirmed yet. Further messages wait.',
    ),
  maxInHand: z
    .int()
    .min(1)
    .default(1_000)
    .describe(
      'Largest number of unacknowledged messages that one consumer holds in memory: waiting for a handler, or being handled.',
    ),
  prefetch: z
    .int()
    .min(1)
    .default(1_000)
    .describe(
      'Largest number of further messages that the WebSocket proxy or the native client fetches in advance for one consumer; ' +
        'at most `maxInHand`. Other members cannot receive these messages. A small number reduces throughput.',
    ),
  maxFrameBytes: z
    .int()
    .min(1_024)
    .default(1_048_576)
    .describe(
      "Largest frame for the WebSocket API, in bytes: the broker's `webSocketMaxTextFrameSize`. The broker closes a " +
        'connection because of a larger frame, so a message that needs one is refused. A body is sent as base64, which ' +
        'is a third longer.',
    ),
  pingIntervalMs: z
    .int()
    .min(100)
    .default(5_000)
    .describe(
      'How often a connection is checked, in ms. A connection that is silent for twice this time is closed.',
    ),
  reconnectMaxDelayMs: z
    .int()
    .min(10)
    .default(2_000)
    .describe(
      'Maximum pause between two attempts to connect, in ms. The pauses grow up to this value, with jitter.',
    ),
  ...redelivery,
  drainTimeoutMs,
});

export type PulsarDriverOptions = z.infer<typeof pulsarDriverOptions>;

/** How the delayed lane uses Pulsar. */
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
    .describe('Subscription (of type Shared). Replicas with the same subscription share the messages.'),
  maxDeliveries: z
    .int()
    .refine((value) => value === 0 || value >= 2, { error: 'expected 0 (never), or 2 or more' })
    .default(1_000)
    .describe(
      'Number of rejections by its handler after which a message goes to the dead letter topic; 0 means never. With the ' +
        'default maximum pause (a minute), the default is reached after more than sixteen hours, so that an outage of ' +
        'the delivery loses nothing.',
    ),
  deadLetterTopic: z
    .string()
    .min(1)
    .optional()
    .describe("Topic for dead letters. If absent, Pulsar's usual name TOPIC-SUBSCRIPTION-DLQ is used."),
  maxHeld: z
    .int()
    .min(1)
    .default(2_000)
    .describe(
      'Largest number of messages that one process holds at a time: because the broker delivered them early (by up to a ' +
        'second with its default settings), because they wait for a handler, or for the pause after a rejection.',
    ),
  foreignRecords: foreignRecordRule
    .optional()
    .describe(
      'How to find the channel of a record without Carillon headers. Without such a rule, the record is refused.',
    ),
});

export type PulsarScheduleOptions = z.infer<typeof pulsarScheduleOptions>;

function isServiceUrl(text: string): boolean {
  // The hosts of a cluster may be separated by commas, which URL does not support.
  if (!/^(pulsar(\+ssl)?|https?|wss?):\/\/[^/]/.test(text)) return false;
  if (/[?#@]/.test(text)) return false;
  return text.startsWith('pulsar') || URL.canParse(text);
}
