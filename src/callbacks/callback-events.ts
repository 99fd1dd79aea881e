import type { Allowances, ProxyClient, ProxyRequests, Step } from '../gateway/index.js';
import type { OutgoingEvent } from '../bus/index.js';
import { dataOf } from './callback-data.js';
import { jsonObject, jsonText, payloadMember, type JsonMembers } from './json-object.js';

/** The event that is published about an attempt that was allowed. Steps without one are not events of a channel's life. */
export const eventOf: {
  readonly [S in Step]?: (request: ProxyRequests[S], allowed: Allowances[S]) => OutgoingEvent;
} = {
  // Without the data of the client, which may have its token.
  connect: (request, { user = '' }) =>
    event('connect', user || request.client, {
      ...clientMembers(request, user),
      name: jsonText(request.name || undefined),
      version: jsonText(request.version || undefined),
    }),
  subscribe: (request) =>
    event('subscribe', request.channel, {
      ...clientMembers(request, request.user),
      channel: jsonText(request.channel),
      ...payloadMember('data', dataOf(request)),
    }),
  publish: (request, { data = dataOf(request) }) =>
    event('publish', request.channel, {
      ...clientMembers(request, request.user),
      channel: jsonText(request.channel),
      ...payloadMember('data', data),
    }),
};

function clientMembers({ client, transport, protocol }: ProxyClient, user: string): JsonMembers {
  return {
    client: jsonText(client),
    user: jsonText(user),
    transport: jsonText(transport),
    protocol: jsonText(protocol),
  };
}

function event(name: string, key: string, members: JsonMembers): OutgoingEvent {
  return { event: name, key, payload: Buffer.from(jsonObject(members)), bytesAre: 'json' };
}
