import { z } from 'zod';
import { tlsCaFile } from '../tls/index.js';
import { databaseOf, redisUrl } from './redis.url.js';

const endpoint = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s/@]+):\d{1,5}$/, 'expected host:port');

/** How an adapter reaches Redis: a single server, a server behind Sentinels, or a Cluster. */
export const redisDriverOptions = z
  .strictObject({
    url: redisUrl,
    sentinels: z
      .array(endpoint)
      .default([])
      .describe('host:port of each Sentinel. If set, the address of the server comes from the Sentinels.'),
    sentinelMaster: z.string().default('mymaster').describe('Name of the server in the Sentinels.'),
    sentinelPassword: z
      .string()
      .optional()
      .describe('Password of the Sentinels themselves, if they require one.')
      .meta({ secret: true }),
    clusterNodes: z
      .array(endpoint)
      .default([])
      .describe('host:port of some nodes of a Redis Cluster. The others are found through them.'),
    tlsCaFile,
    keyPrefix: z
      .string()
      .regex(/^[\w.:-]+$/, 'may contain only letters, digits, and _ . : -')
      .default('carillon')
      .describe('Prefix of every key, so that several deployments can share a server.'),
    connectTimeoutMs: z
      .int()
      .min(100)
      .default(3_000)
      .describe('Maximum time to establish a connection, in ms.'),
    commandTimeoutMs: z
      .int()
      .min(50)
      .default(1_500)
      .describe('Maximum time to wait for a reply, in ms. Then the call fails with `broker_unavailable`.'),
    keepAliveIntervalMs: z
      .int()
      .min(100)
      .default(1_000)
      .describe(
        'How often a connection sends PING, in ms. Must be shorter than the setting `timeout` of the server, which closes ' +
          'connections that are idle for that long.',
      ),
    reconnectMaxDelayMs: z
      .int()
      .min(10)
      .default(2_000)
      .describe(
        'Maximum pause between two attempts to connect, in ms. The pauses grow up to this value, with jitter.',
      ),
  })
  .refine((options) => options.sentinels.length === 0 || options.clusterNodes.length === 0, {
    error: 'set either sentinels or clusterNodes, not both: a Cluster elects its masters without Sentinels',
    path: ['sentinels'],
  })
  .refine((options) => options.clusterNodes.length === 0 || databaseOf(options.url) === 0, {
    error: 'a Redis Cluster has only database 0: leave out the database',
    path: ['url'],
  });

export type RedisDriverOptions = z.infer<typeof redisDriverOptions>;
