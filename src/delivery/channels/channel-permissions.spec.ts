import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { channelsOptions, type channelOptions } from './channel-options.js';
import { decidePublish, decideSubscribe, mayReadHistory, mayReadPresence } from './channel-permissions.js';
import { ChannelRules, type ChannelRule } from './channel-rules.js';
import { featuresOf } from './subscription-features.js';

type Given = z.input<typeof channelOptions>;

function setUp(given: Given, channel = 'c'): { rules: ChannelRules; rule: ChannelRule } {
  const rules = new ChannelRules(channelsOptions.parse({ withoutNamespace: given }));
  return { rules, rule: rules.find(channel) as ChannelRule };
}

describe('decideSubscribe', () => {
  const limited = { allowUserLimitedChannels: true };
  const open = { allowSubscribeForClient: true };

  it.each<[Given, string, string, object, string]>([
    [{}, 'c', '42', {}, 'deny'],
    [{}, 'c', '42', { insecure: true }, 'allow'],
    [open, 'c', '42', {}, 'allow'],
    [open, 'c', '', {}, 'deny'],
    [{ ...open, allowSubscribeForAnonymous: true }, 'c', '', {}, 'allow'],
    [{ allowSubscribeForAnonymous: true }, 'c', '', {}, 'deny'],
    [open, '$c', '42', {}, 'deny'],
    [open, '$c', '42', { insecure: true }, 'deny'],
    [{ ...open, subscribeProxyEnabled: true }, 'c', '42', {}, 'askProxy'],
    [limited, 'a#42', '42', {}, 'allow'],
    [limited, 'a#43', '42', {}, 'deny'],
    [{ ...limited, ...open }, 'a#43', '42', {}, 'deny'],
    [{ ...limited, subscribeProxyEnabled: true }, 'a#43', '42', {}, 'deny'],
    [{ ...limited, subscribeProxyEnabled: true }, 'a', '42', {}, 'askProxy'],
    [{ ...limited, ...open }, 'a#', '', {}, 'deny'],
    [open, 'a#43', '42', {}, 'allow'],
  ])('with %j on %s by %j %j: %s', (given, channel, user, rest, expected) => {
    const { rules, rule } = setUp(given, channel);
    expect(decideSubscribe(rules, rule, { channel, user, insecure: false, ...rest })).toBe(expected);
  });
});

describe('publishing, presence and history', () => {
  const requester = { user: '42', subscribed: false, insecure: false };

  it.each(['Publish', 'Presence', 'History'] as const)('follow the same options: %s', (what) => {
    const may = (given: Given, by: Partial<typeof requester>): boolean => {
      const { rule } = setUp(given);
      const who = { ...requester, ...by };
      if (what === 'Publish') return decidePublish(rule, who) === 'allow';
      return what === 'Presence' ? mayReadPresence(rule, who) : mayReadHistory(rule, who);
    };
    const forClient = { [`allow${what}ForClient`]: true };
    const forSubscriber = { [`allow${what}ForSubscriber`]: true };
    const forAnonymous = { [`allow${what}ForAnonymous`]: true };
    expect(may({}, { subscribed: true })).toBe(false);
    expect(may({}, { insecure: true, user: '' })).toBe(true);
    expect(may(forClient, {})).toBe(true);
    expect(may(forSubscriber, {})).toBe(false);
    expect(may(forSubscriber, { subscribed: true })).toBe(true);
    expect(may(forClient, { user: '' })).toBe(false);
    expect(may({ ...forClient, ...forAnonymous }, { user: '' })).toBe(true);
    expect(may({ ...forSubscriber, ...forAnonymous }, { user: '', subscribed: true })).toBe(true);
    expect(may(forAnonymous, { user: '', subscribed: true })).toBe(false);
  });

  it('leaves publishing to the proxy if one is configured', () => {
    const { rule } = setUp({ publishProxyEnabled: true, allowPublishForClient: true });
    expect(decidePublish(rule, requester)).toBe('askProxy');
  });
});

describe('featuresOf', () => {
  const history = { historySize: 10, historyTtlMs: 1000 };
  const nothing = { positioned: false, recoverable: false, joinLeave: false };
  const everything = { positioned: true, recoverable: true, joinLeave: true };
  const client = { user: '42', insecure: false };
  const none = {
    presence: false,
    joinLeave: false,
    pushJoinLeave: false,
    positioning: false,
    recovery: false,
  };

  it.each<[Given, object, object, object]>([
    [{}, nothing, {}, {}],
    [{}, everything, {}, {}],
    [{ ...history, allowRecovery: true }, { recoverable: true }, {}, { recovery: true, positioning: true }],
    [
      { ...history, allowPositioning: true },
      { positioned: true, recoverable: true },
      {},
      { positioning: true },
    ],
    [{ ...history, allowHistoryForSubscriber: true }, everything, {}, { recovery: true, positioning: true }],
    [{ ...history, forceRecovery: true }, nothing, {}, { recovery: true, positioning: true }],
    [{ ...history, forceRecovery: true }, nothing, { forceRecovery: false }, {}],
    [{ allowRecovery: true }, { recoverable: true }, { forceRecovery: true }, {}],
    [{ ...history }, nothing, { forcePositioning: true }, { positioning: true }],
    [{ joinLeave: true, presence: true }, everything, {}, { joinLeave: true, presence: true }],
    [
      { joinLeave: true, presence: true, allowPresenceForSubscriber: true },
      everything,
      {},
      { joinLeave: true, presence: true, pushJoinLeave: true },
    ],
    [{ allowPresenceForSubscriber: true }, everything, {}, {}],
    [{ joinLeave: true, forcePushJoinLeave: true }, nothing, {}, { joinLeave: true, pushJoinLeave: true }],
    [
      {},
      nothing,
      { presence: true, joinLeave: true, forcePushJoinLeave: true },
      { presence: true, joinLeave: true, pushJoinLeave: true },
    ],
  ])('with %j, requested %j and override %j: %j', (given, requested, override, expected) => {
    const features = featuresOf(setUp(given).rule, client, { ...nothing, ...requested }, override);
    expect(features).toEqual({ ...none, ...expected });
  });
});
