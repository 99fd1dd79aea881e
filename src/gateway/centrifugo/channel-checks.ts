import type { ChannelFault, ChannelRule, ChannelRules } from '../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { CommandRefusedError, ConnectionForfeitedError, replyErrors, type ReplyError } from './errors.js';

/** How a client is told that it cannot use a channel. */
export const channelFaults: Readonly<Record<ChannelFault, ReplyError>> = {
  tooLong: replyErrors.badRequest,
  unknownNamespace: replyErrors.unknownChannel,
  badName: replyErrors.badRequest,
};

/**
 * The rule of the channel that a command names.
 * @throws CommandRefusedError, ConnectionForfeitedError
 */
export function ruleOf(rules: ChannelRules, channel: string): ChannelRule {
  if (channel === '') throw new ConnectionForfeitedError(closeCodes.badRequest);
  const rule = rules.find(channel);
  if (typeof rule === 'string') throw new CommandRefusedError(channelFaults[rule]);
  return rule;
}
