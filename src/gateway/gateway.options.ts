import { z } from 'zod';
import { requireDistinct } from './protocols/protocol-conflict.js';
import type { ProtocolSettings } from './protocols/protocol-settings.js';
import type { ProtocolDefinition } from './protocols/protocol.js';

const count = z.number().int().min(1);

function rate(what: string, perSecond: number, burst: number) {
  return z
    .strictObject({
      perSecond: z.number().positive().default(perSecond).describe(`${what} per second, in the long run.`),
      burst: count.default(burst).describe(`${what} that may come at once after a pause.`),
    })
    .prefault({});
}

const heartbeat = z
  .strictObject({
    pingIntervalMs: count
      .default(25_000)
      .describe('How long after its last answer a client is pinged again, in ms. Longer than the time-out.'),
    pongTimeoutMs: count
      .default(8_000)
      .describe('How long a client may take to answer a ping before it is closed with 3012, in ms.'),
  })
  .refine(({ pingIntervalMs, pongTimeoutMs }) => pingIntervalMs > pongTimeoutMs, {
    path: ['pongTimeoutMs'],
    message: 'must be less than pingIntervalMs',
  })
  .prefault({});

const limits = z
  .strictObject({
    connections: count
      .default(100_000)
      .describe('Connections on this process. Others are answered 503 with Retry-After.'),
    connectionsPerAddress: count
      .default(10_000)
      .describe(
        'Connections of one client address (of IPv6, one /64 network). Others are answered 429. Behind a proxy that is not among the ' +
          'trusted ones, all clients have the address of the proxy.',
      ),
    handshakes: rate('Handshakes of all clients', 2_000, 10_000),
    inbound: rate('Messages, pings and pongs of one client (else it is closed with 3013)', 100, 500),
  })
  .prefault({});

const drain = z
  .strictObject({
    connectionsPerSecond: count
      .default(500)
      .describe(
        'How many clients a second are sent away (with 3001) at shutdown, so that they do not all reconnect at once. ' +
          'More where they could not all be told in time.',
      ),
    timeoutMs: count
      .default(20_000)
      .describe('When what is still connected at shutdown is cut, in ms. Less than the whole shutdown.'),
  })
  .prefault({});

/** The settings that do not depend on the protocols. */
const shape = {
  allowedOrigins: z
    .array(
      z
        .string()
        .regex(
          /^(\*|null|[a-z*][a-z0-9+.*-]*:\/\/[^/?#]*)$/i,
          'must be an origin without a path, "null", or "*"',
        ),
    )
    .default([])
    .describe(
      'Origins whose pages may connect, such as https://example.com; * stands for any text, as in ' +
        'https://*.example.com, and alone allows all. Where the list is empty, only pages of the same host may. Clients that are no browsers send no origin and always may.',
    ),
  attachTimeoutMs: count
    .default(5_000)
    .describe('How long a handshake waits for its subscriptions before it is answered 503, in ms.'),
  authorizerTimeoutMs: count
    .default(5_000)
    .describe(
      'How long an authorizer of the embedding application may take to decide, in ms. After that the client receives an internal error.',
    ),
  forwardedHeaders: z
    .array(z.string().regex(/^[-!#$%&'*+.^_`|~0-9a-z]+$/i, 'must be the name of a header'))
    .max(32)
    .default([])
    .describe(
      'Names of the handshake headers that authorizers of the embedding application receive, such as `Cookie`. Upper and lower case are the same.',
    ),
  forwardedHeadersMaxBytes: count
    .default(8_192)
    .describe(
      'Largest size of the forwarded headers of one handshake, in bytes. A handshake with more is answered 431.',
    ),
  maxMessageBytes: count
    .default(65_536)
    .describe('Largest message that a client may send, in bytes. A larger one closes it with 1009.'),
  maxMessageFragments: count
    .default(1_024)
    .describe('Most frames that a message of a client may be cut into. More close it with 1008.'),
  outboxMaxBytes: count
    .default(1_048_576)
    .describe('Bytes that may wait for one client. A client that is further behind is closed with 3008.'),
  closeTimeoutMs: count
    .default(5_000)
    .describe('How long a client may take to answer a close before it is cut, in ms.'),
  heartbeat,
  limits,
  drain,
};

/** The setting keys and schemas of the protocols in a list. */
type ProtocolShape<Protocol> = {
  [
    Settings in Protocol extends { readonly settings: infer Own extends ProtocolSettings }
      ? Own
      : never as Settings['key']
  ]: Settings['schema'];
};

/**
 * Returns the schema of the gateway's settings, with those of the protocols under their keys.
 * @throws ProtocolConflictError
 */
export function gatewayOptionsFor<const Protocols extends readonly ProtocolDefinition[]>(
  protocols: Protocols,
) {
  requireDistinct(protocols);
  const ofProtocols = Object.fromEntries(
    protocols.flatMap(({ settings }) => (settings === undefined ? [] : [[settings.key, settings.schema]])),
  ) as ProtocolShape<Protocols[number]>;
  return z.strictObject({ ...shape, ...ofProtocols });
}

export type GatewayOptions = z.output<z.ZodObject<typeof shape>>;
