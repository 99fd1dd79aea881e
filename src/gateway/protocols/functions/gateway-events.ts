import type { WebhookResponse } from '../../../webhooks/index.js';
import type { Arrival, Registration } from './backend.js';
import { isObject, objectIn } from './answers.js';
import { forwarded } from './forwarded.js';
import { BackendFailedError } from './functions.errors.js';
import type { RouteOptions } from './functions.options.js';

/*
 * The events with which a cloud API gateway called the three functions of a WebSocket API:
 * `connecting` before the WebSocket opens, `data send` in both directions, and `closing`.
 */

/** A connection id that a backend sends back may be any text of this length. */
const MAX_ID_LENGTH = 256;

/** What a backend asks for in a reverse push. */
export type ReversePush =
  | { readonly action: 'data send'; readonly id: string; readonly data: Buffer; readonly isText: boolean }
  | { readonly action: 'closing'; readonly id: string };

export function connectingEvent(
  arrival: Arrival,
  { stage, service, forwardedHeaders }: RouteOptions,
): object {
  const { id, context, query, headers, params, subprotocols, extensions } = arrival;
  return {
    requestContext: {
      serviceName: service,
      path: context.path,
      httpMethod: 'GET',
      requestId: context.requestId,
      identity: {},
      sourceIp: context.sourceIp,
      stage,
      websocketEnable: true,
    },
    headers: forwarded(headers, forwardedHeaders),
    pathParameters: params,
    queryString: Object.fromEntries(query),
    websocket: {
      action: 'connecting',
      secConnectionID: id,
      ...(subprotocols.length > 0 && { secWebSocketProtocol: subprotocols.join(',') }),
      secWebSocketExtensions: extensions,
    },
  };
}

export function dataEvent(id: string, data: Buffer, isText: boolean): object {
  const dataType = isText ? 'text' : 'binary';
  const text = data.toString(isText ? 'utf8' : 'base64');
  return { websocket: { action: 'data send', secConnectionID: id, dataType, data: text } };
}

export function closingEvent(id: string): object {
  return { websocket: { action: 'closing', secConnectionID: id } };
}

/**
 * Reads the answer to a `connecting` event.
 * @throws BackendFailedError it is not an answer
 */
export function chosenSubprotocol({ body }: WebhookResponse, { id, subprotocols }: Arrival): Registration {
  const answer = objectIn(body);
  const { errNo, errMsg, websocket } = answer;
  if (errNo !== 0) {
    if (typeof errNo !== 'number') throw new BackendFailedError('the answer has no errNo');
    const message =
      typeof errMsg === 'string' && errMsg !== '' ? errMsg : `the backend refused it (${errNo})`;
    return { outcome: 'refused', status: 403, message };
  }
  if (!isObject(websocket)) throw new BackendFailedError('the answer has no websocket');
  const { action, secConnectionID, secWebSocketProtocol } = websocket;
  if (action !== 'connecting' || secConnectionID !== id)
    throw new BackendFailedError('the answer is about another connection');
  // A backend may repeat all that were offered, which chooses the first.
  const [chosen = ''] = typeof secWebSocketProtocol === 'string' ? secWebSocketProtocol.split(',') : [];
  const subprotocol = chosen.trim();
  if (subprotocol !== '' && !subprotocols.includes(subprotocol))
    throw new BackendFailedError('the answer chooses a subprotocol that the client did not offer');
  return { outcome: 'registered', subprotocol: subprotocol === '' ? undefined : subprotocol };
}

/** Returns undefined for anything that is not a reverse push. */
export function readReversePush(body: Buffer): ReversePush | undefined {
  const { websocket } = objectIn(body);
  if (!isObject(websocket)) return undefined;
  const { action, secConnectionID: id, dataType = 'text', data } = websocket;
  if (typeof id !== 'string' || id.length > MAX_ID_LENGTH) return undefined;
  if (action === 'closing') return { action, id };
  if (action !== 'data send' || typeof data !== 'string') return undefined;
  if (dataType === 'text') return { action, id, data: Buffer.from(data), isText: true };
  return dataType === 'binary' ? { action, id, data: Buffer.from(data, 'base64'), isText: false } : undefined;
}
