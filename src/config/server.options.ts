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
        'Address to listen on. The default is reachable only from this machine: use 0.0.0.0 in a container or behind a load balancer.',
      ),
    port: z
      .number()
      .int()
      .min(0)
      .max(65535)
      .default(3000)
      .describe('Port for HTTP and WebSocket. 0 selects a free one.'),
    workers: z
      .union([z.int().min(1).max(512), z.literal('auto')], {
        error: `must be a number from 1 to 512, or auto`,
      })
      .default(1)
      .describe(
        'Number of processes that share the port on this machine; each serves a part of the clients. `auto`: one per core. With ' +
          'more than 1, one additional process holds the embedded stores (fan-out, queues in memory, files) for all of them.',
      ),
    roles: rolesOption.describe(
      'What this process does; `--role` is short for it. `gateway`: holds the sockets and delivers to their clients. `trigger`: ' +
        'serves the HTTP API. `consumers`: takes due messages from the lanes, and runs the consumers of modules. `all`: all of these. Every role serves /health ' +
        'and /metrics. Roles in different processes need a fan-out over Redis, and lanes on a server. See scaling.md.',
    ),
    trustedProxies: z
      .array(
        z.string().refine(isProxyRange, {
          error: 'must be an address, a CIDR range, or one of loopback, linklocal and uniquelocal',
        }),
      )
      .default([])
      .describe(
        'Addresses or CIDR ranges of the proxies whose X-Forwarded-For is trusted, for example 10.0.0.0/8. ' +
          'The names loopback, linklocal and uniquelocal stand for those ranges.',
      ),
    allowUntrustedProxies: z
      .boolean()
      .default(false)
      .describe(
        'Lets clients behind a proxy that is not in trustedProxies open raw sockets and push to themselves. All of them with one ' +
          'User-Agent are then one identity and receive the messages of each other. By default they get 403 if the proxy sends ' +
          'X-Forwarded-For or Forwarded.',
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
            'How long the process continues to serve after its readiness has turned red, so that load balancers notice, in ms. ' +
              'It is part of timeoutMs.',
          ),
        timeoutMs: z
          .number()
          .int()
          .min(1)
          .default(30_000)
          .describe(
            'Upper bound for the whole shutdown, in ms. The process ends then, finished or not; the queues deliver ' +
              'unacknowledged messages again.',
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
      .describe('Lowest level that is logged.'),
    format: z
      .enum(['auto', 'json', 'pretty'])
      .default('auto')
      .describe(
        '`json`: one JSON object per line. `pretty`: lines for people. `auto`: pretty on a terminal, otherwise JSON.',
      ),
  })
  .prefault({});

export type ServerOptions = z.output<typeof serverOptions>;
export type LogOptions = z.output<typeof logOptions>;
