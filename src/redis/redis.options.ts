import { z } from 'zod';
import { tlsCaFile } from '../tls/index.js';

const endpoint = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s/@]+):\d{1,5}$/, 'expected host:port');

/** How an adapter reaches its Redis. One schema serves a single server, Sentinel and Cluster. */
export const redisDriverOptions = z
  .strictObject({
    url: z
      .string()
      .refine((text) => /^rediss?:\/\//.test(text) && URL.canParse(text), {
        error: 'expected redis://[user:password@]host[:port][/database], or rediss:// for TLS',
      })
      .describe(
        'Where Redis is: redis:// or rediss:// (TLS), with user, password and database number. With `sentinels` or ' +
          '`clusterNodes` its host and port are not used, the rest is.',
      )
      .meta({ secret: true }),
    sentinels: z
      .array(endpoint)
      .default([])
      .describe('host:port of each Sentinel. Where given, the server to use is asked of them.'),
    sentinelMaster: z
      .string()
      .default('mymaster')
      .describe('Name under which the Sentinels know the server.'),
    sentinelPassword: z
      .string()
      .optional()
      .describe('Password of the Sentinels themselves, where they want one.')
      .meta({ secret: true }),
    clusterNodes: z
      .array(endpoint)
      .default([])
      .describe(
        'host:port of some nodes of a Redis Cluster. Where given, the others are found through them.',
      ),
    tlsCaFile,
    keyPrefix: z
      .string()
      .regex(/^[\w.:-]+$/, 'letters, digits, and _ . : - only')
      .default('carillon')
      .describe('Begins the name of every key, so that several deployments can share a server.'),
    connectTimeoutMs: z.int().min(100).default(3_000).describe('Longest wait for a connection, in ms.'),
    commandTimeoutMs: z
      .int()
      .min(50)
      .default(1_500)
      .describe('Longest wait for an answer, in ms. A call without one fails as `broker_unavailable`.'),
    reconnectMaxDelayMs: z
      .int()
      .min(10)
      .default(2_000)
      .describe(
        'Longest pause between two attempts to connect, in ms. The pauses grow up to it, with jitter.',
      ),
  })
  .refine((options) => options.sentinels.length === 0 || options.clusterNodes.length === 0, {
    error: 'give either sentinels or clusterNodes: a Cluster elects its own masters',
    path: ['sentinels'],
  });

export type RedisDriverOptions = z.infer<typeof redisDriverOptions>;
