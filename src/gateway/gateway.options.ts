import { z } from 'zod';
import { requireDistinct } from './protocols/protocol-conflict.js';
import type { ProtocolSettings } from './protocols/protocol-settings.js';
import type { ProtocolDefinition } from './protocols/protocol.js';

const count = z.number().int().min(1);

function rate(what: string, perSecond: number, burst: number) {
  return z
    .strictObject({
      perSecond: z
        .number()
        .min(0)
        .default(perSecond)
        .describe(`${what} per second, on average. 0: no limit.`),
      burst: count.default(burst).describe(`${what} that may arrive at once after a pause.`),
    })
    .prefault({});
}

const heartbeat = z
  .strictObject({
    pingIntervalMs: count
      .default(25_000)
      .describe(
        'Time between the answer to a ping and the next ping, in ms. Must be longer than the time-out.',
      ),
    pongTimeoutMs: count
      .default(8_000)
      .describe('How long a client may take to answer a ping, in ms. Otherwise it is closed with 3012.'),
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
      .describe(
        'The most connections of this process. Further handshakes are refused with 503 and Retry-After.',
      ),
    connectionsPerAddress: count
      .default(10_000)
      .describe(
        'The most connections of one client address (for IPv6, of one /64 network). Further handshakes are refused with 429. Behind a proxy ' +
          'that is not trusted, all clients have the address of the proxy.',
      ),
    handshakesPerAddress: rate('Handshakes of one address (of IPv6, one /64 network)', 1_000, 5_000),
    handshakes: rate('Handshakes of all clients', 2_000, 10_000),
    inbound: rate('Messages, pings and pongs of one client (a faster client is slowed down)', 1_000, 5_000),
  })
  .prefault({});

const drain = z
  .strictObject({
    connectionsPerSecond: count
      .default(500)
      .describe(
        'How many clients per second are closed (with 3001) at shutdown, so that they do not all reconnect at once. ' +
          'The rate is higher if the time-out would not suffice for all of them.',
      ),
    timeoutMs: count
      .default(20_000)
      .describe(
        'How long clients may take to leave at shutdown, in ms. After that they are disconnected. Must be less than the time for the whole shutdown.',
      ),
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
      'Origins whose pages may connect, such as https://example.com. * matches any text, as in ' +
        'https://*.example.com; * alone allows all origins. If the list is empty, only pages of the same host may connect; the scheme is compared too if a trusted proxy sends X-Forwarded-Proto. Clients that are not browsers send no origin and may always connect.',
    ),
  attachTimeoutMs: count
    .default(5_000)
    .describe('How long a handshake waits for its subscriptions, in ms. After that it is refused with 503.'),
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
      'Largest size of the forwarded headers of one handshake, in bytes. A handshake with more is refused with 431.',
    ),
  maxMessageBytes: count
    .default(65_536)
    .describe(
      'The largest message that a client may send, in bytes. A client that sends a larger one is closed with 1009.',
    ),
  maxMessageFragments: count
    .default(1_024)
    .describe(
      'The most frames that a client may split a message into. A client that sends more is closed with 1008.',
    ),
  outboxMaxBytes: count
    .default(1_048_576)
    .describe(
      'The most bytes that may wait to be sent to one client. A client that is further behind is closed with 3008.',
    ),
  outboxTotalMaxBytes: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe(
      'The most bytes that may wait to be sent to all clients of this process together. Beyond it, nothing is read from clients, and ' +
        'those that are furthest behind are closed with 3008. 0: a quarter of the memory limit of the JavaScript heap.',
    ),
  closeTimeoutMs: count
    .default(5_000)
    .describe('How long a client may take to answer a close, in ms. After that it is disconnected.'),
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
