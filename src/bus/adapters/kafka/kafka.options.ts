import { z } from 'zod';
import { tlsCaFile } from '../../../tls/index.js';
import { drainTimeoutMs, redelivery } from '../../retries/redelivery.options.js';

const endpoint = z
  .string()
  .regex(/^[^:\s/@[\]]+:\d{1,5}$/, 'expected host:port, the host not being an IPv6 address');

const sasl = z.strictObject({
  mechanism: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .default('plain')
    .describe('How the client proves who it is.'),
  username: z.string().min(1).describe('User name.'),
  password: z.string().min(1).describe('Password.').meta({ secret: true }),
});

/** How the bus reaches Kafka, for everything that uses it. */
export const kafkaDriverOptions = z.strictObject({
  brokers: z
    .array(endpoint)
    .min(1)
    .describe('host:port of one or more brokers. The others of the cluster are found through them.'),
  clientId: z
    .string()
    .min(1)
    .default('carillon')
    .describe("Name under which the brokers' logs and quotas know us."),
  tls: z.boolean().default(false).describe('Whether connections are encrypted.'),
  tlsCaFile,
  sasl: sasl.optional().describe('Credentials, where the brokers want them.'),
  partitions: z
    .int()
    .min(1)
    .default(12)
    .describe('Partitions of a topic that has to be created. One that exists is left as it is.'),
  replicationFactor: z
    .int()
    .min(-1)
    .default(-1)
    .describe("Copies of each partition of a topic that has to be created; -1 is the cluster's own default."),
  connectTimeoutMs: z
    .int()
    .min(100)
    .default(1_000)
    .describe('Longest wait for a connection to a broker, in ms.'),
  sendTimeoutMs: z
    .int()
    .min(100)
    .default(1_500)
    .describe(
      'Longest wait until all in-sync replicas hold what was published, in ms. Then it fails as `broker_unavailable`.',
    ),
  maxQueuedBytes: z
    .int()
    .min(1_024)
    .default(64 * 1024 * 1024)
    .describe('Bytes per topic that may wait to be sent. Beyond it a publish fails as `broker_unavailable`.'),
  maxRequestBytes: z
    .int()
    .min(1_024)
    .default(900_000)
    .describe(
      "Bytes that are sent in one request, unless a single record is larger. Keep it below the brokers' " +
        '`message.max.bytes`, which limits the records of a request together.',
    ),
  sessionTimeoutMs: z
    .int()
    .min(6_000)
    .default(10_000)
    .describe('After this silence of a consumer, in ms, the others of its group take its partitions.'),
  rebalanceTimeoutMs: z
    .int()
    .min(1_000)
    .default(60_000)
    .describe(
      'How long the others wait, in ms, for a handler to finish before they take its partition. Keep it above what a whole ' +
        'batch takes: of a consumer whose handler takes events one by one, `batchSize` calls.',
    ),
  fetchWaitMs: z
    .int()
    .min(10)
    .default(200)
    .describe(
      'Longest time that a broker holds back an empty answer, in ms. Short ones make rebalances quick.',
    ),
  fetchBytesPerPartition: z
    .int()
    .min(1_024)
    .default(1024 * 1024)
    .describe(
      'Most bytes that are fetched of one partition at a time. Up to two such fetches wait in memory.',
    ),
  ...redelivery,
  drainTimeoutMs,
});

export type KafkaDriverOptions = z.infer<typeof kafkaDriverOptions>;
