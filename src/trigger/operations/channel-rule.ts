import type { ChannelRule, ChannelRules } from '../../delivery/index.js';
import { InvalidChannelError, UnknownNamespaceError } from './operations.errors.js';

/**
 * Returns the rule of a channel that a request names.
 * @throws InvalidChannelError, UnknownNamespaceError
 */
export function ruleOf(rules: ChannelRules, channel: string): ChannelRule {
  if (channel === '') throw new InvalidChannelError(channel);
  const rule = rules.find(channel);
  if (typeof rule === 'object') return rule;
  throw rule === 'unknownNamespace' ? new UnknownNamespaceError(channel) : new InvalidChannelError(channel);
}
