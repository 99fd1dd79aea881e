import { z } from 'zod';
import { tlsCaFile } from '../../../tls/index.js';
import { drainTimeoutMs, redelivery } from '../../retries/redelivery.options.js';

const endpoint = z
  .string()
  .regex(/^[^:\s/@[\]]+:\d{1,5}$/, 'expected host:port, where the host is a name or an IPv4 address');

const sasl = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).default('plain').describe('SASL mechanism.'),
  username: z.string().min(1).describe('User name.'),
  password: z.string().min(1).describe('Password.').meta({ secret: true }),
});

/** How the bus connects to Kafka. */
export const kafkaDriverOptions = z.strictObject({
  brokers: z
    .array(endpoint)
    .min(1)
    .describe(
      'host:port of one or more brokers. The client discovers the other brokers of the cluster through them.',
    ),
  clientId: z
    .string()
    .min(1)
    .default('carillon')
    .describe('Client id, which appears in the logs and quotas of the brokers.'),
  tls: z.boolean().default(false).describe('Whether to encrypt connections with TLS.'),
  tlsCaFile,
  sasl: sasl.optional().describe('Credentials, if the brokers require them.'),
  partitions: z
    .int()
    .min(1)
    .default(12)
    .describe('Number of partitions of a topic that Carillon creates. An existing topic is not changed.'),
  replicationFactor: z
    .int()
    .min(-1)
    .default(-1)
    .describe(
      "Number of copies of each partition of a topic that Carillon creates. -1 is the cluster's default.",
    ),
  connectTimeoutMs: z.int().min(100).default(1_000).describe('Time-out for a connection to a broker, in ms.'),
  sendTimeoutMs: z
    .int()
    .min(100)
    .default(1_500)
    .describe(
      'Time-out for the acknowledgement of all in-sync replicas, in ms. After it, the publish fails as `broker_unavailable`.',
    ),
  checkIntervalMs: z
    .int()
    .min(100)
    .default(3_000)
    .describe('How often it is checked that the brokers can be reached, in ms.'),
  maxQueuedBytes: z
    .int()
    .min(1_024)
    .default(64 * 1024 * 1024)
    .describe(
      'Largest number of bytes that may be queued for a topic. Beyond it, a publish fails as `broker_unavailable`.',
    ),
  maxRequestBytes: z
    .int()
    .min(1_024)
    .default(900_000)
    .describe(
      'Largest size of one request, in bytes; a single record may be larger. Keep it below `message.max.bytes` of the ' +
        'brokers, which limits all records of a request together.',
    ),
  sessionTimeoutMs: z
    .int()
    .min(6_000)
    .default(10_000)
    .describe(
      'After this time without a heartbeat from a consumer, in ms, the other members of its group take its partitions.',
    ),
  rebalanceTimeoutMs: z
    .int()
    .min(1_000)
    .default(60_000)
    .describe(
      'How long a rebalance waits for the handlers of a member to finish, in ms, before other members take its partitions. ' +
        'Keep it above the time for a whole batch. If the handler takes single events, that is `batchSize` calls.',
    ),
  fetchWaitMs: z
    .int()
    .min(10)
    .default(200)
    .describe(
      'How long a broker waits for records before it sends an empty response, in ms. Short times make rebalances fast.',
    ),
  fetchBytesPerPartition: z
    .int()
    .min(1_024)
    .default(1024 * 1024)
    .describe(
      'Largest number of bytes that are fetched from one partition at a time. Up to two fetches are held in memory.',
    ),
  compression: z
    .enum(['none', 'gzip', 'zstd'])
    .default('none')
    .describe(
      'How published records are compressed. Consumers read `snappy` and `lz4` as well. A topic may have another format ' +
        '(`compression.type`).',
    ),
  maxDecompressedBytes: z
    .int()
    .min(1024 * 1024)
    .default(16 * 1024 * 1024)
    .describe(
      'Largest size of a compressed batch of records after decompression, in bytes. A larger batch becomes a dead letter. It ' +
        'bounds the memory for a batch that was made to be small on the wire and huge in memory.',
    ),
  ...redelivery,
  drainTimeoutMs,
});

export type KafkaDriverOptions = z.infer<typeof kafkaDriverOptions>;
