import { z } from 'zod';
import { httpOptions, isProxyRange } from '../http/index.js';
import { rolesOption } from './roles.js';

/** Where the process listens and how it stops. */
export const serverOptions = z
  .strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe(
        'Address to listen on. Loopback unless set: use 0.0.0.0 in a container or behind a load balancer.',
      ),
    port: z
      .number()
      .int()
      .min(0)
      .max(65535)
      .default(3000)
      .describe('Port for HTTP and WebSocket. 0 takes a free one.'),
    workers: z
      .union([z.int().min(1).max(512), z.literal('auto')])
      .default(1)
      .describe(
        'Processes that share the port on this machine, each with its part of the clients. `auto`: one for each core. With more ' +
          'than 1, one process more holds what is embedded (fan-out, queues in memory, files) for all of them.',
      ),
    roles: rolesOption.describe(
      'What this process does; several are separated by commas, and --role is short for it. `gateway`: sockets and delivery to ' +
        'their clients. `trigger`: the HTTP API. `consumers`: takes messages from the lanes when they are due. `all`: all of ' +
        'these. Every role serves /health and /metrics. Roles in different processes need Redis for the fan-out, and lanes on ' +
        'a server.',
    ),
    trustedProxies: z
      .array(
        z.string().refine(isProxyRange, {
          error: 'must be an address, a CIDR range, or one of loopback, linklocal and uniquelocal',
        }),
      )
      .default([])
      .describe(
        'Addresses or CIDR ranges of the proxies whose X-Forwarded-For is believed, for example 10.0.0.0/8. ' +
          'The words loopback, linklocal and uniquelocal stand for those ranges.',
      ),
    http: httpOptions,
    shutdown: z
      .strictObject({
        readinessDelayMs: z
          .number()
          .int()
          .min(0)
          .default(0)
          .describe(
            'How long to go on serving after readiness has turned red, so that load balancers notice, in ms. Part of timeoutMs.',
          ),
        timeoutMs: z
          .number()
          .int()
          .min(1)
          .default(30_000)
          .describe(
            'Upper bound for the whole shutdown, in ms. What is not finished by then is cut off; unacknowledged ' +
              'messages come again from their queue.',
          ),
      })
      .prefault({}),
  })
  .prefault({});

export const logOptions = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least severe level that is logged.'),
    format: z
      .enum(['auto', 'json', 'pretty'])
      .default('auto')
      .describe('One JSON object a line, or lines for people. auto: pretty on a terminal, JSON elsewhere.'),
  })
  .prefault({});

export type ServerOptions = z.output<typeof serverOptions>;
export type LogOptions = z.output<typeof logOptions>;
