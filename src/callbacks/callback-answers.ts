import type { Allowances, DecisionOf, RefusalCause, Step, SubscriptionGrant } from '../gateway/index.js';
import { jsonObject, jsonText, payloadMember, type JsonMembers } from './json-object.js';

/** An error of the Centrifugo protocol, which Centrifugo passes on to its client. */
export interface CallbackError {
  readonly code: number;
  readonly message: string;
  readonly temporary?: boolean;
}

export const callbackErrors = {
  internal: { code: 100, message: 'internal server error', temporary: true },
  unauthorized: { code: 101, message: 'unauthorized' },
  unknownChannel: { code: 102, message: 'unknown channel' },
  permissionDenied: { code: 103, message: 'permission denied' },
  methodNotFound: { code: 104, message: 'method not found' },
  badRequest: { code: 107, message: 'bad request' },
  notAvailable: { code: 108, message: 'not available' },
  tokenExpired: { code: 109, message: 'token expired' },
  expired: { code: 110, message: 'expired' },
} as const satisfies Record<string, CallbackError>;

const errorByCause: Record<RefusalCause, CallbackError> = {
  noCredentials: callbackErrors.unauthorized,
  invalidToken: callbackErrors.unauthorized,
  tokenExpired: callbackErrors.tokenExpired,
  expired: callbackErrors.expired,
  permissionDenied: callbackErrors.permissionDenied,
  notAvailable: callbackErrors.notAvailable,
  unavailable: callbackErrors.internal,
};

/** Writes the answer to a callback as Centrifugo reads it: a result, an error or a disconnect. */
export function answerText<S extends Step>(step: S, decision: DecisionOf<S>): string {
  switch (decision.outcome) {
    case 'allowed':
      return resultText(members[step](decision));
    case 'error':
      return errorText(decision);
    case 'disconnect': {
      const { code, reason } = decision;
      return jsonObject({ disconnect: jsonObject({ code: jsonText(code), reason: jsonText(reason) }) });
    }
    case 'abstained':
      return errorText(step === 'rpc' ? callbackErrors.methodNotFound : callbackErrors.permissionDenied);
    case 'refused':
      // Centrifugo closes a connection, or ends a subscription, that its backend says has expired.
      if (decision.cause === 'expired' && refreshes.has(step)) return resultText({ expired: 'true' });
      return errorText(errorByCause[decision.cause]);
  }
}

const refreshes: ReadonlySet<Step> = new Set(['refresh', 'subRefresh']);

export function errorText({ code, message, temporary }: CallbackError): string {
  const error = { code: jsonText(code), message: jsonText(message), temporary: jsonText(temporary) };
  return jsonObject({ error: jsonObject(error) });
}

function resultText(result: JsonMembers): string {
  return jsonObject({ result: jsonObject(result) });
}

const members: { readonly [S in Step]: (allowed: Allowances[S]) => JsonMembers } = {
  connect: ({ user, expireAt, info, data, channels, meta }) => ({
    user: jsonText(user),
    expire_at: jsonText(expireAt),
    ...payloadMember('info', info),
    ...payloadMember('data', data),
    subs: channels && subscriptionsText(channels),
    meta: meta?.toString(),
  }),
  refresh: ({ expireAt, info }) => ({ expire_at: jsonText(expireAt), ...payloadMember('info', info) }),
  subscribe: (allowed) => ({ expire_at: jsonText(allowed.expireAt), ...grantMembers(allowed) }),
  subRefresh: ({ expireAt, info }) => ({ expire_at: jsonText(expireAt), ...payloadMember('info', info) }),
  publish: ({ data, tags, skipHistory, idempotencyKey, delta, version, versionEpoch }) => ({
    ...payloadMember('data', data),
    tags: tags && JSON.stringify(tags),
    skip_history: jsonText(skipHistory),
    idempotency_key: jsonText(idempotencyKey),
    delta: jsonText(delta),
    version: jsonText(version),
    version_epoch: jsonText(versionEpoch),
  }),
  rpc: ({ data }) => payloadMember('data', data),
};

function subscriptionsText(channels: ReadonlyMap<string, SubscriptionGrant>): string {
  const entries = [...channels].map(([name, grant]) => [name, jsonObject(grantMembers(grant))] as const);
  return jsonObject(Object.fromEntries(entries));
}

function grantMembers({ info, data, override }: SubscriptionGrant): JsonMembers {
  return {
    ...payloadMember('info', info),
    ...payloadMember('data', data),
    override: override && overrideText(override),
  };
}

function overrideText(override: NonNullable<SubscriptionGrant['override']>): string | undefined {
  if (Object.keys(override).length === 0) return undefined;
  const switched = (value: boolean | undefined) =>
    value === undefined ? undefined : jsonObject({ value: jsonText(value) });
  return jsonObject({
    presence: switched(override.presence),
    join_leave: switched(override.joinLeave),
    force_push_join_leave: switched(override.forcePushJoinLeave),
    force_recovery: switched(override.forceRecovery),
    force_positioning: switched(override.forcePositioning),
  });
}
