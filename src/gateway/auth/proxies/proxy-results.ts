import {
  abstained,
  refused,
  type DecisionOf,
  type PublishAllowed,
  type SubscriptionGrant,
} from '../decisions.js';
import type { Step } from '../attempts.js';
import { ProxyResponseError } from './proxy.errors.js';
import type { ProxyResults, SubscribeResult } from './proxy-responses.js';

/** The decision for each result of a backend. `undefined`: the backend allows it and says no more. */
export const decisionOnResult: {
  readonly [S in Step]: (result: ProxyResults[S] | undefined) => DecisionOf<S>;
} = {
  connect(result) {
    // The backend knows nothing about the client: it is anonymous, if it may be.
    if (result === undefined) return abstained;
    const { user, expireAt, info, b64info, data, b64data, channels, subs, meta } = result;
    const granted = new Map<string, SubscriptionGrant>(channels.map((channel) => [channel, {}]));
    for (const [channel, grant] of subs) granted.set(channel, grantOf(grant));
    return {
      outcome: 'allowed',
      user,
      expireAt: expiry(expireAt),
      info: payload('info', info, b64info),
      data: payload('data', data, b64data),
      channels: granted,
      meta: given(meta),
    };
  },
  refresh(result) {
    if (result === undefined || result.expired) return refused('expired');
    const { expireAt, info, b64info, meta } = result;
    return {
      outcome: 'allowed',
      expireAt: expiry(expireAt),
      info: payload('info', info, b64info),
      meta: given(meta),
    };
  },
  subscribe(result) {
    if (result === undefined) return { outcome: 'allowed' };
    return { outcome: 'allowed', expireAt: expiry(result.expireAt), ...grantOf(result) };
  },
  subRefresh(result) {
    if (result === undefined || result.expired) return refused('expired');
    const { expireAt, info, b64info } = result;
    return { outcome: 'allowed', expireAt: expiry(expireAt), info: payload('info', info, b64info) };
  },
  publish(result) {
    // Only the backend decides about deltas.
    if (result === undefined) return { outcome: 'allowed', delta: false };
    const { data, b64data, skipHistory, tags, idempotencyKey, delta, version, versionEpoch } = result;
    const replacement = payload('data', data, b64data);
    const decision: PublishAllowed = {
      outcome: 'allowed',
      delta,
      ...(replacement !== undefined && { data: replacement }),
      ...(skipHistory && { skipHistory }),
      ...(tags.size > 0 && { tags: Object.fromEntries(tags) }),
      ...(idempotencyKey !== '' && { idempotencyKey }),
      ...(version > 0 && { version }),
      ...(versionEpoch !== '' && { versionEpoch }),
    };
    return decision;
  },
  rpc(result) {
    if (result === undefined) return { outcome: 'allowed' };
    // Null is a result like any other.
    const { data, b64data } = result;
    return { outcome: 'allowed', data: b64data === '' ? data : fromBase64('data', b64data) };
  },
};

function grantOf({ info, b64info, data, b64data, override }: SubscribeResult): SubscriptionGrant {
  const switches = Object.entries(override ?? {}).flatMap(
    ([name, set]: [string, { value: boolean } | undefined]) =>
      set === undefined ? [] : [[name, set.value] as const],
  );
  return {
    info: payload('info', info, b64info),
    data: payload('data', data, b64data),
    override: Object.fromEntries(switches),
  };
}

function expiry(expireAt: number): number | undefined {
  return expireAt === 0 ? undefined : expireAt;
}

function payload(name: string, raw: Buffer | undefined, base64: string): Buffer | undefined {
  return base64 === '' ? given(raw) : fromBase64(name, base64);
}

/** Backends in typed languages write null for what they leave out. */
function given(raw: Buffer | undefined): Buffer | undefined {
  return raw?.length === 4 && raw.toString('latin1') === 'null' ? undefined : raw;
}

function fromBase64(name: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text)
    throw new ProxyResponseError(`b64${name} of the response is not base64`);
  return bytes;
}
