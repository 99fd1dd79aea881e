import { z } from 'zod';
import type { Rate } from '../limits/index.js';

/** A shorter API key can be guessed. */
export const apiKeyMinLength = 16;

/** A setting of the module whose routes need the keys. */
export const apiKeysOption = z
  .array(
    z
      .string()
      .regex(
        /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
        'must consist of visible ASCII characters, because a header cannot carry others unchanged',
      ),
  )
  .default([])
  .meta({ secret: true })
  .describe(
    'API keys. A caller needs one to push to others than itself. With several keys, one can be replaced while the old one ' +
      'still works. Without a key, callers can push only to themselves. Keys have at least 16 characters; shorter ones are accepted only on a loopback address.',
  );

function costlyRate(what: string, perSecond: number, burst: number) {
  return z
    .strictObject({
      perSecond: z
        .number()
        .min(0)
        .default(perSecond)
        .describe(`${what}, per second on average. 0: no limit.`),
      burst: z
        .number()
        .int()
        .min(1)
        .default(burst)
        .describe('How many of them may arrive at once after a pause.'),
    })
    .prefault({});
}

/** Limits of the HTTP server of the process. */
export const httpOptions = z
  .strictObject({
    bodyLimitBytes: z
      .number()
      .int()
      .min(1)
      .default(65_536)
      .describe(
        'Largest request body, in bytes. The broker of the instant lane must accept messages of this size.',
      ),
    maxHeaderBytes: z
      .number()
      .int()
      .min(1024)
      .default(16_384)
      .describe('Largest total size of the request line and the headers, in bytes.'),
    requestTimeoutMs: z
      .number()
      .int()
      .min(100)
      .default(10_000)
      .describe('Time within which a complete request must arrive, in ms.'),
    keepAliveTimeoutMs: z
      .number()
      .int()
      .min(0)
      .default(72_000)
      .describe(
        'How long an idle connection stays open for the next request, in ms. Must be longer than the idle timeout of the load balancer.',
      ),
    allowedHosts: z
      .array(
        z.string().regex(/^(?:\*|(?:\*\.)?[\w-]+(?:\.[\w-]+)*)$/, {
          error: 'must be a name without a port, such as push.example.com or *.example.com, or *',
        }),
      )
      .default([])
      .describe(
        'Names that requests may have in their Host header; others get 403. *.example.com stands for all names under example.com, ' +
          '* for all names. localhost, names under it and IP addresses are always allowed. If the list is empty, a server on a ' +
          'loopback address allows only those (against DNS rebinding), and any other server allows all names.',
      ),
    internal: z
      .strictObject({
        port: z
          .number()
          .int()
          .min(0)
          .max(65535)
          .optional()
          .describe(
            'A second port, for operators. If it is set, /metrics is served only there, and without a key (unless metricsKeys ' +
              'has one). The HTTP API, /health and /docs are served there too. Do not make it public.',
          ),
        host: z
          .string()
          .optional()
          .describe('Address of the second port. The default is that of server.host.'),
      })
      .prefault({}),
    metricsKeys: apiKeysOption.describe(
      'Keys that may read /metrics and nothing else, for Prometheus. API keys may read it as well. On an address that is not a ' +
        'loopback address, /metrics needs a key, unless internal.port is set. If there is a key here, it always needs one.',
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
        costlyRequests: costlyRate(
          'Requests without a key from one address whose responses are expensive (/metrics, /docs, lists)',
          20,
          200,
        ),
        costlyRequestsWithApiKey: costlyRate(
          'The same with a key: /metrics, lists, and presence, history and channels of the server API',
          500,
          2_000,
        ),
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

export const callerRateLimitOptions = z
  .strictObject({
    perSecond: z
      .number()
      .min(0)
      .default(1000)
      .describe(
        'Sustained rate of requests without an API key from one address (one /64 network of IPv6), per second. 0: no limit.',
      ),
    burst: z
      .number()
      .int()
      .min(1)
      .default(5000)
      .describe('Requests that one address may send at once after a pause.'),
  })
  .prefault({});

/** Settings that decide who may use the routes for operators, such as /metrics. */
export interface OperatorRoutes {
  /** Keys for these routes, in addition to the API keys. */
  readonly metricsKeys?: readonly string[];
  /** The address of the public port. Absent: only this machine can reach it. */
  readonly listensOn?: string;
  readonly internalPort?: number | undefined;
}

/** Settings by which the module identifies callers. */
export interface HttpModuleOptions extends OperatorRoutes {
  /** Absent: no limit. */
  readonly costlyRequests?: Rate;
  readonly costlyRequestsWithApiKey?: Rate;
  readonly apiKeys: readonly string[];
  readonly rateLimit: z.output<typeof callerRateLimitOptions>;
  /** Proxies whose `X-Forwarded-For` is trusted, as `trustedProxies` of the server options lists them. */
  readonly trustedProxies: readonly string[];
  /** Whether callers behind another proxy may share an identity. */
  readonly allowUntrustedProxies?: boolean;
}
