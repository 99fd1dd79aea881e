import { z } from 'zod';
import { targetShape } from '../../../webhooks/index.js';

const on = (text: string) => z.boolean().default(false).describe(text);
const headerName = z.string().regex(/^[-!#$%&'*+.^_`|~0-9a-z]+$/i, 'must be the name of a header');
const headerNames = (text: string) => z.array(headerName).max(32).default([]).describe(text);
const code = z.number().int().min(1);

const transform = z
  .strictObject({
    statusCode: z.number().int().min(100).max(599).describe('Status of the response.'),
    toError: z
      .strictObject({ code, message: z.string().default(''), temporary: z.boolean().default(false) })
      .optional()
      .describe('The error that the client gets.'),
    toDisconnect: z
      .strictObject({ code: code.min(3000).max(4999), reason: z.string().default('') })
      .optional()
      .describe('The code and reason with which the client is closed.'),
  })
  .refine(
    ({ toError, toDisconnect }) => (toError === undefined) !== (toDisconnect === undefined),
    'must have either toError or toDisconnect',
  );

const shape = {
  endpoint: z
    .string()
    .refine(isEndpoint, 'must be a URL that begins with http:// or https:// (gRPC is not supported yet)')
    .describe('URL of the backend.'),
  httpHeaders: headerNames(
    'Names of the headers of the handshake that are forwarded to the backend, such as `Cookie`.',
  ),
  emulatedHeaders: headerNames(
    'Names of the headers in the connect command that are forwarded, for browsers, which cannot set headers of a handshake. Those of the handshake win.',
  ),
  staticHeaders: z
    .record(headerName, z.string().regex(/^[\t\x20-\x7e]*$/, 'must be the value of a header, in ASCII'))
    .default({})
    .describe('Headers of every request, as an object. They win over forwarded ones.')
    .meta({ secret: true }),
  binaryEncoding: on('Sends the data of clients in base64, as `b64data`, for data that are not JSON.'),
  includeConnectionMeta: on('Adds the meta of the connection, which only the server knows, to the requests.'),
  statusToCodeTransforms: z
    .array(transform)
    .max(100)
    .default([])
    .describe(
      'Turns statuses of the response into errors or disconnects. Other statuses than 200 are error 100.',
    ),
  ...targetShape,
};

const proxy = z.strictObject(shape);

const rpcOptions = {
  proxyEnabled: on('Lets the backend answer the calls.'),
  proxyName: z.string().default('default').describe('Name of the proxy. `default`: `rpc`.'),
};

const distinct = (all: readonly { readonly name: string }[]): boolean =>
  new Set(all.map(({ name }) => name)).size === all.length;

/** Backends that decide what clients may do. */
export const proxiesOptions = z
  .strictObject({
    connect: proxy.optional().describe('Decides about connections without a token.'),
    refresh: proxy.optional().describe('Renews connections when they expire. Clients then do not do it.'),
    subscribe: proxy
      .optional()
      .describe('Decides about subscriptions in channels with subscribeProxyEnabled.'),
    publish: proxy.optional().describe('Decides about publications in channels with publishProxyEnabled.'),
    subRefresh: proxy
      .optional()
      .describe('Renews subscriptions when they expire, in channels with subRefreshProxyEnabled.'),
    rpc: proxy.optional().describe('Answers calls of methods.'),
    named: z
      .array(
        z.strictObject({
          name: z
            .string()
            .regex(
              /^(?!default$)[-\w.]{1,64}$/,
              'must be letters, digits, dots, dashes and underscores, and not `default`',
            )
            .describe('Name of the proxy.'),
          ...shape,
        }),
      )
      .max(100)
      .refine(distinct, 'must have different names')
      .default([])
      .describe('Further proxies, which channel options and methods select by their names.'),
    rpcWithoutNamespace: z
      .strictObject(rpcOptions)
      .prefault({})
      .describe('Options of the methods without a namespace.'),
    rpcNamespaces: z
      .array(
        z.strictObject({
          name: z.string().min(1).describe('The method name before the boundary.'),
          ...rpcOptions,
        }),
      )
      .max(1_000)
      .refine(distinct, 'must have different names')
      .default([])
      .describe('Options of the methods in namespaces.'),
    rpcNamespaceBoundary: z
      .string()
      .min(1)
      .default(':')
      .describe('Separator between the namespace and the rest of a method.'),
  })
  .prefault({});

export type ProxiesOptions = z.output<typeof proxiesOptions>;
export type ProxyOptions = z.output<typeof proxy>;

/** The headers of the handshake that at least one of the proxies forwards. */
export function headersOfProxies(proxies: ProxiesOptions): string[] {
  return allOf(proxies).flatMap(({ httpHeaders }) => httpHeaders);
}

/** The headers in a connect command that at least one of the proxies forwards, in lower case. */
export function emulatedHeadersOfProxies(proxies: ProxiesOptions): ReadonlySet<string> {
  return new Set(
    allOf(proxies).flatMap(({ emulatedHeaders }) => emulatedHeaders.map((name) => name.toLowerCase())),
  );
}

function allOf(proxies: ProxiesOptions): ProxyOptions[] {
  const { connect, refresh, subscribe, publish, subRefresh, rpc, named } = proxies;
  return [connect, refresh, subscribe, publish, subRefresh, rpc, ...named].filter(
    (each) => each !== undefined,
  );
}

function isEndpoint(text: string): boolean {
  return /^https?:\/\/./i.test(text) && URL.canParse(text);
}
