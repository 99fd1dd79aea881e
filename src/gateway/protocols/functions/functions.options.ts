import { z } from 'zod';
import { targetShape } from '../../../webhooks/index.js';
import { ProtocolSettings } from '../protocol-settings.js';
import { managementOptions } from './management/management.options.js';

const count = z.number().int().min(1);

const path = z
  .string()
  .regex(/^\/[^?#\s]*$/, 'must be a path that begins with /')
  .describe(
    'Where its WebSockets are served. A segment that begins with `:` is a parameter, as in `/rooms/:room`.',
  );

function functionUrl(when: string) {
  return z
    .url({ protocol: /^https?$/ })
    .meta({ secret: true })
    .describe(
      `Called ${when}. A user and password in it are sent as Basic authentication, and never logged.`,
    );
}

const route = z.strictObject({
  path,
  register: functionUrl('when a client connects, before its WebSocket opens'),
  transport: functionUrl('for each message of a client'),
  cleanup: functionUrl('when a connection has ended'),
  respond: z
    .boolean()
    .default(false)
    .describe('Sends the body of the answer to a message back to the client, unless it is empty.'),
  forwardedHeaders: z
    .array(z.string().min(1))
    .max(64)
    .default(['*'])
    .describe('Names of the headers of the handshake that `register` receives. `*`: all of them.'),
  pushSecrets: z
    .array(z.string().regex(/^[\w.~-]{16,256}$/, 'must be 16 to 256 letters, digits, or any of _ . ~ -'))
    .max(4)
    .default([])
    .meta({ secret: true })
    .describe(
      'Secrets of the URLs `/push/ROUTE/SECRET`, over which functions push without an API key. With two, one can be replaced while ' +
        'the other is in use.',
    ),
  stage: z.string().default('release').describe('Value of `requestContext.stage`.'),
  service: z.string().default('carillon').describe('Value of `requestContext.serviceName`.'),
  maxPendingMessages: count
    .default(32)
    .describe(
      'How many messages of one client may wait for their call. Nothing more is read from the client until there are fewer.',
    ),
  maxConcurrentCalls: count
    .default(64)
    .describe(
      'How many calls of one function may run at the same time. Messages and cleanups wait; clients that arrive get 503.',
    ),
  ...targetShape,
  timeoutMs: targetShape.timeoutMs.default(5_000),
});

/** The routes whose connections functions of a backend handle. */
export const functionsSettings = new ProtocolSettings(
  'functions',
  z
    .strictObject({
      routes: z
        .record(z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'), route)
        .default({})
        .describe('Routes by name. The name is in metrics, logs and the URL of the reverse push.'),
      management: managementOptions,
    })
    .prefault({}),
);

export type FunctionsOptions = z.output<typeof functionsSettings.schema>;
export type RouteOptions = FunctionsOptions['routes'][string];
