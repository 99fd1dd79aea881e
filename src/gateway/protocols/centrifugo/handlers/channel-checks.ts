import type { ChannelFault, ChannelRule, ChannelRules } from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { CommandRefusedError, DisconnectError, replyErrors, type ReplyError } from '../centrifugo.errors.js';

/** The error for a client that cannot use a channel. */
const channelFaults: Readonly<Record<ChannelFault, ReplyError>> = {
  tooLong: replyErrors.badRequest,
  unknownNamespace: replyErrors.unknownChannel,
  badName: replyErrors.badRequest,
};

/**
 * Returns the rule of a channel that a client names.
 * @throws CommandRefusedError, DisconnectError
 */
export function ruleOf(rules: ChannelRules, channel: string): ChannelRule {
  if (channel === '') throw new DisconnectError(closeCodes.badRequest);
  const rule = rules.findForClient(channel);
  if (typeof rule === 'string') throw new CommandRefusedError(channelFaults[rule]);
  return rule;
}

/**
 * Returns the rule of a channel that an authorizer or the server names for a client.
 * @throws CommandRefusedError
 */
export function ruleOfGiven(rules: ChannelRules, channel: string): ChannelRule {
  const rule = rules.find(channel);
  if (typeof rule === 'string') throw new CommandRefusedError(channelFaults[rule]);
  return rule;
}
