import type { Attempts, ClientContext, ProxyRequests, Step } from '../gateway/index.js';
import { CallbackRefusedError } from './callback-refused.error.js';
import { callbackErrors } from './callback-answers.js';
import { dataOf } from './callback-data.js';
import type { CallbackRules } from './callback-rules.js';

/** Makes attempts out of the requests of each step, so that the authorizers of this server can decide about them. */
export const attemptOf: {
  readonly [S in Step]: (
    request: ProxyRequests[S],
    client: ClientContext,
    rules: CallbackRules,
  ) => Attempts[S];
} = {
  connect: (request, client) => {
    const { name, version, channels } = request;
    const data = dataOf(request);
    return { client, token: tokenIn(data), data, name, version, channels };
  },
  refresh: ({ user, meta }, client) => ({ client, user, meta, token: '' }),
  subscribe: (request, client, rules) => {
    const { user, meta, channel, token } = request;
    const rule = ruleOf(channel, rules);
    return { client, user, meta, channel, rule, token, data: dataOf(request), atConnect: false };
  },
  subRefresh: ({ user, meta, channel }, client) => ({ client, user, meta, channel, token: '' }),
  publish: (request, client, rules) => {
    const { user, meta, channel } = request;
    const data = dataOf(request);
    if (data === undefined) throw new CallbackRefusedError(callbackErrors.badRequest);
    // A callback does not say whether its client is subscribed.
    return { client, user, meta, channel, rule: ruleOf(channel, rules), data, isSubscribed: false };
  },
  rpc: (request, client) => {
    const { user, meta, method } = request;
    return { client, user, meta, method, data: dataOf(request) };
  },
};

/** Centrifugo verifies the token of a connect itself, and then calls nobody. So a token for this server is in the data. */
function tokenIn(data: Buffer | undefined): string {
  if (data === undefined) return '';
  try {
    const value: unknown = JSON.parse(data.toString());
    const token = typeof value === 'object' && value !== null && 'token' in value ? value.token : '';
    return typeof token === 'string' ? token : '';
  } catch {
    return '';
  }
}

function ruleOf(channel: string, rules: CallbackRules) {
  const rule = rules.find(channel);
  if (typeof rule !== 'string') return rule;
  throw new CallbackRefusedError(
    rule === 'unknownNamespace' ? callbackErrors.unknownChannel : callbackErrors.badRequest,
  );
}
