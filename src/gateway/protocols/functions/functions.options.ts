import { z } from 'zod';
import { targetShape } from '../../../webhooks/index.js';
import { ProtocolSettings } from '../protocol-settings.js';
import { awsRoute } from './aws/aws.options.js';
import { managementOptions } from './management/management.options.js';
import { functionUrl, routeShape } from './route-shape.js';

const route = z.strictObject({
  ...routeShape,
  shape: z
    .literal('functions')
    .optional()
    .describe('How the functions are called: with the events of `functions`, or of `aws`.'),
  register: functionUrl('when a client connects, before its WebSocket opens'),
  transport: functionUrl('for each message of a client'),
  cleanup: functionUrl('when a connection has ended'),
  respond: z
    .boolean()
    .default(false)
    .describe('Sends the body of the answer to a message back to the client, unless it is empty.'),
  stage: z.string().default('release').describe('Value of `requestContext.stage`.'),
  service: z.string().default('carillon').describe('Value of `requestContext.serviceName`.'),
  timeoutMs: targetShape.timeoutMs.default(5_000),
});

/** The routes whose connections functions of a backend handle. */
export const functionsSettings = new ProtocolSettings(
  'functions',
  z
    .strictObject({
      routes: z
        .record(
          z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
          z.discriminatedUnion('shape', [route, awsRoute]),
        )
        .default({})
        .describe('Routes by name. The name is in metrics, logs and the URL of the reverse push.'),
      management: managementOptions,
    })
    .prefault({}),
);

export type FunctionsOptions = z.output<typeof functionsSettings.schema>;
/** A route whose functions get the events of `functions`. */
export type RouteOptions = z.output<typeof route>;
export type AnyRouteOptions = FunctionsOptions['routes'][string];
