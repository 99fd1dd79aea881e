import { z } from 'zod';

/** What the HTTP server of the process accepts. */
export const httpOptions = z
  .strictObject({
    bodyLimitBytes: z
      .number()
      .int()
      .min(1)
      .default(65_536)
      .describe('Largest request body, in bytes. The instant lane must be able to carry it.'),
    maxHeaderBytes: z
      .number()
      .int()
      .min(1024)
      .default(16_384)
      .describe('Largest request line and headers together, in bytes.'),
    requestTimeoutMs: z
      .number()
      .int()
      .min(100)
      .default(10_000)
      .describe('Longest time in which a request must have arrived whole, in ms.'),
    keepAliveTimeoutMs: z
      .number()
      .int()
      .min(0)
      .default(72_000)
      .describe(
        'How long an idle connection stays open for the next request, in ms. Longer than that of the load balancer.',
      ),
    docs: z
      .boolean()
      .default(true)
      .describe('Serves the documentation of the HTTP API at /docs, and the OpenAPI document at /docs/json.'),
    limits: z
      .strictObject({
        connections: z
          .number()
          .int()
          .min(1)
          .default(20_000)
          .describe('Most HTTP connections of this process, WebSockets not counted. Others get 503.'),
        connectionsPerAddress: z
          .number()
          .int()
          .min(1)
          .default(10_000)
          .describe(
            'Most HTTP connections of one address (of IPv6, one /64 network), WebSockets not counted. Others get 503. ' +
              'A proxy counts as one address.',
          ),
        requestsInFlightPerConnection: z
          .number()
          .int()
          .min(1)
          .default(256)
          .describe(
            'Most requests of one connection that are handled at a time (pipelining). Others get 503.',
          ),
        responseTimeoutMs: z
          .number()
          .int()
          .min(1_000)
          .max(2_147_483_647)
          .default(60_000)
          .describe('How long a client may take to read a response before its connection is cut, in ms.'),
        descriptorReserve: z
          .number()
          .int()
          .min(0)
          .default(128)
          .describe(
            'File descriptors that clients cannot take (at most a quarter of the limit of the process): files, brokers and the ' +
              'process itself need them. Connections beyond that get 503.',
          ),
      })
      .prefault({}),
  })
  .prefault({});

export type HttpOptions = z.output<typeof httpOptions>;

/** A setting of the module whose operations need the keys. */
export const apiKeysOption = z
  .array(
    z
      .string()
      .regex(
        /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
        'must be of visible ASCII characters: nothing else arrives in a header as it was sent',
      ),
  )
  .default([])
  .meta({ secret: true })
  .describe(
    'One of these a caller must show to reach anybody but itself. Several, so that one can be replaced while the old ' +
      'one still works. None: nobody can. Fewer than 16 characters can be guessed.',
  );

export const callerRateLimitOptions = z
  .strictObject({
    perSecond: z
      .number()
      .min(0)
      .default(1000)
      .describe(
        'Requests a second of one address (of IPv6, one /64 network), sustained, without an API key. 0: no limit.',
      ),
    burst: z
      .number()
      .int()
      .min(1)
      .default(5000)
      .describe('Requests of one address that may come at once after a rest.'),
  })
  .prefault({});

/** What the module needs to identify callers. */
export interface HttpModuleOptions {
  readonly apiKeys: readonly string[];
  readonly rateLimit: z.output<typeof callerRateLimitOptions>;
  /** Proxies whose `X-Forwarded-For` is trusted, as `trustedProxies` of the server options lists them. */
  readonly trustedProxies: readonly string[];
}
