import { ChannelRules, type ChannelRule } from '../../delivery/index.js';
import { ApiRefusal, apiFaults } from '../centrifugo-api/api.errors.js';

/**
 * The rule of a channel that a request names.
 * @throws ApiRefusal when there can be no such channel
 */
export function ruleOf(rules: ChannelRules, channel: string): ChannelRule {
  if (channel === '') throw new ApiRefusal(apiFaults.badRequest);
  const rule = rules.find(channel);
  if (typeof rule === 'object') return rule;
  throw new ApiRefusal(rule === 'unknownNamespace' ? apiFaults.unknownChannel : apiFaults.badRequest);
}
