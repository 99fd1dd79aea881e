import type { ChannelFault, ChannelRule, ChannelRules } from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { CommandRefusedError, DisconnectError, replyErrors, type ReplyError } from '../centrifugo.errors.js';

/** How a client is told that it cannot use a channel. */
const channelFaults: Readonly<Record<ChannelFault, ReplyError>> = {
  tooLong: replyErrors.badRequest,
  unknownNamespace: replyErrors.unknownChannel,
  badName: replyErrors.badRequest,
};

/**
 * The rule of the channel that a client's command names.
 * @throws CommandRefusedError, DisconnectError
 */
export function ruleOf(rules: ChannelRules, channel: string): ChannelRule {
  if (channel === '') throw new DisconnectError(closeCodes.badRequest);
  const rule = rules.findForClient(channel);
  if (typeof rule === 'string') throw new CommandRefusedError(channelFaults[rule]);
  return rule;
}

/**
 * The rule of a channel that the server's side names for a client.
 * @throws CommandRefusedError
 */
export function ruleOfGiven(rules: ChannelRules, channel: string): ChannelRule {
  const rule = rules.find(channel);
  if (typeof rule === 'string') throw new CommandRefusedError(channelFaults[rule]);
  return rule;
}
