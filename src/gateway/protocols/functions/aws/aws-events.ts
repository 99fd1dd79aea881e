import { randomUUID } from 'node:crypto';
import type { Arrival, ConnectionContext } from '../backend.js';
import { forwarded } from '../forwarded.js';
import type { AwsRouteOptions } from './aws.options.js';

/*
 * The proxy events of AWS WebSocket APIs:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

type EventType = 'CONNECT' | 'MESSAGE' | 'DISCONNECT';

export function requestContext(
  routeKey: string,
  eventType: EventType,
  id: string,
  { context, options }: { readonly context: ConnectionContext; readonly options: AwsRouteOptions },
): Readonly<Record<string, unknown>> & { readonly requestId: string } {
  const now = new Date();
  const requestId = randomUUID();
  return {
    routeKey,
    eventType,
    ...(eventType === 'MESSAGE' && { messageId: requestId }),
    messageDirection: 'IN',
    requestId,
    extendedRequestId: requestId,
    requestTime: clfTime(now),
    requestTimeEpoch: now.getTime(),
    connectedAt: context.connectedAt,
    connectionId: id,
    identity: { sourceIp: context.sourceIp, userAgent: context.userAgent },
    domainName: options.domainName ?? context.host,
    stage: options.stage,
    apiId: options.apiId,
    ...(context.authorizer !== undefined && { authorizer: context.authorizer }),
  };
}

/** Headers and query of a handshake. Headers have the upper-case letters that AWS gives them. */
export function handshakeFields({ headers, query }: Arrival, { forwardedHeaders }: AwsRouteOptions): object {
  const single: Record<string, string> = {};
  const multi: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(forwarded(headers, forwardedHeaders))) {
    const values = [value ?? ''].flat();
    const title = titleOf(name);
    single[title] = values.at(-1) ?? '';
    multi[title] = values;
  }
  return {
    headers: single,
    multiValueHeaders: multi,
    ...(query.size > 0 && {
      queryStringParameters: Object.fromEntries(query),
      multiValueQueryStringParameters: Object.fromEntries(
        [...new Set(query.keys())].map((name) => [name, query.getAll(name)]),
      ),
    }),
  };
}

/** `sec-websocket-key` is `Sec-WebSocket-Key`. */
function titleOf(name: string): string {
  return name
    .replaceAll(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase())
    .replace('-Websocket-', '-WebSocket-');
}

/** As in the log format of web servers: `31/Jan/2030:09:00:00 +0000`. */
function clfTime(time: Date): string {
  const [, day = ''] = /-(\d\d)T/.exec(time.toISOString()) ?? [];
  const clock = time.toISOString().slice(11, 19);
  return `${day}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}:${clock} +0000`;
}
