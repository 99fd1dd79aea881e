import { z } from 'zod';
import { targetShape } from '../../../../webhooks/index.js';
import { tokenOptions } from '../../../auth/tokens/tokens.options.js';
import { functionUrl, routeShape } from '../route-shape.js';
import { isRouteSelection } from './route-selection.js';

const count = z.number().int().min(1);

const authorizer = z
  .strictObject({
    url: functionUrl('with the `REQUEST` event when a client connects, before `$connect`').optional(),
    tokens: tokenOptions.optional().describe('Which JWTs are accepted, if there is no `url`.'),
    identitySource: z
      .string()
      .regex(
        /^route\.request\.(?:header|querystring)\.[\w-]+$/,
        'must be route.request.header.NAME or route.request.querystring.NAME',
      )
      .default('route.request.header.Authorization')
      .describe(
        'Where the token is. A client without it gets 401. With `url`, it need not be a token. `Bearer` before it is left out.',
      ),
  })
  .refine(({ url, tokens }) => (url === undefined) !== (tokens === undefined), {
    message: 'needs either url or tokens',
  });

/** A route whose functions were written for AWS WebSocket APIs. The limits are those of that service. */
export const awsRoute = z.strictObject({
  ...routeShape,
  shape: z.literal('aws'),
  integrations: z
    .record(z.string().min(1).max(128), functionUrl('for the events of a route key'))
    .refine((integrations) => Object.keys(integrations).length <= 100, 'has more than 100 route keys')
    .describe(
      'URLs by route key: `$connect`, `$default`, `$disconnect`, and the values that the route selection expression finds in messages.',
    ),
  routeSelectionExpression: z
    .string()
    .refine(isRouteSelection, 'must be like $request.body.action')
    .default('$request.body.action')
    .describe('Where a message says its route key.'),
  routeResponses: z
    .array(z.string())
    .max(101)
    .default([])
    .describe('Route keys for which the body of the answer goes back to the client. `*`: all of them.'),
  authorizer: authorizer
    .optional()
    .describe('Decides who may connect, before `$connect`. Its context is in all events of the connection.'),
  apiId: z.string().default('carillon').describe('Value of `requestContext.apiId`.'),
  stage: z.string().default('prod').describe('Value of `requestContext.stage`.'),
  domainName: z
    .string()
    .min(1)
    .optional()
    .describe('Value of `requestContext.domainName`. Default: the Host header of the handshake.'),
  maxMessageBytes: count
    .default(131_072)
    .describe(
      'The largest message of a client, in bytes. A client that sends a larger one is closed with 1009.',
    ),
  maxFrameBytes: count
    .default(32_768)
    .describe(
      'The largest frame of a message, in bytes. A client that sends a larger one is closed with 1009. Browsers send a message as one frame.',
    ),
  maxConnectionMs: count
    .default(7_200_000)
    .describe('How long a connection may last, in ms. Then it is closed with 1001.'),
  idleTimeoutMs: count
    .default(600_000)
    .describe(
      'How long a connection may be without a message in either direction, in ms. Then it is closed with 1001.',
    ),
  newConnections: z
    .strictObject({
      perSecond: z
        .number()
        .positive()
        .default(500)
        .describe('Clients of this route that may connect per second, on average. Others get 429.'),
      burst: count.default(500).describe('How many of them may connect at once after a pause.'),
    })
    .prefault({}),
  timeoutMs: targetShape.timeoutMs.default(29_000),
});

export type AwsRouteOptions = z.output<typeof awsRoute>;
