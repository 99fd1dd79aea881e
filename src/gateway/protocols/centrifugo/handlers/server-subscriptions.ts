import { decideSubscribe, type ChannelRule } from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { noGrant } from '../../../auth/tokens/claims.js';
import type { ConnectionToken } from '../../../auth/tokens/token-verifier.js';
import { ruleOfGiven } from './channel-checks.js';
import type { ConnectRequest, SubscribeRequest } from '../codec/commands.js';
import { DisconnectError } from '../centrifugo.errors.js';
import type { Admission } from '../subscriptions/open-subscription.js';
import type { Session } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { sinceOf } from './subscribe-handler.js';

/**
 * The subscriptions that a client gets as it connects: those that its token lists, its personal channel, and of those
 * that it names itself the ones that it could have without a token.
 * @throws CommandRefusedError, DisconnectError
 */
export function admissionsAtConnect(
  dependencies: HandlerDependencies,
  { user }: Session,
  token: ConnectionToken | undefined,
  { subs }: ConnectRequest,
): Admission[] {
  const { rules, options } = dependencies;
  const admissions = new Map<string, Admission>();
  for (const [channel, grant] of token?.subs ?? []) {
    const rule = ruleOfGiven(rules, channel);
    admissions.set(channel, { ...serverSide(channel, rule, subs), grant, fromToken: true });
  }
  if (options.personalChannel.enabled && user !== '') {
    const personal = rules.personalChannel(options.personalChannel.namespace, user);
    if (!admissions.has(personal))
      admissions.set(personal, serverSide(personal, ruleOfGiven(rules, personal), subs));
  }
  for (const channel of subs.keys()) {
    if (admissions.has(channel)) continue;
    const rule = rules.findForClient(channel);
    if (rule === 'unknownNamespace') throw new DisconnectError(closeCodes.badRequest);
    if (typeof rule === 'string' || channel === '') continue;
    const attempt = { channel, user, hasToken: false, insecure: options.insecure };
    if (decideSubscribe(rules, rule, attempt) === 'allow')
      admissions.set(channel, serverSide(channel, rule, subs));
  }
  if (admissions.size > options.channelLimit) throw new DisconnectError(closeCodes.channelLimit);
  return [...admissions.values()];
}

/** Whether a new token lists the same channels as the one before. */
export function listsSameChannels({ subscriptions }: Session, { subs }: ConnectionToken): boolean {
  let common = 0;
  for (const each of subscriptions) {
    if (!each.isFromToken) continue;
    if (!subs.has(each.channel)) return false;
    common++;
  }
  return common === subs.size;
}

function serverSide(
  channel: string,
  rule: ChannelRule,
  subs: ReadonlyMap<string, SubscribeRequest>,
): Admission {
  const request = subs.get(channel);
  const position = request && { since: sinceOf(request), delta: request.delta === 'fossil' };
  return { channel, rule, serverSide: true, grant: noGrant, ...position };
}
