import { describe, expect, it } from '@jest/globals';
import { ChannelRules, deliveryOptions } from '../delivery/index.js';
import { CallbackRules } from './callback-rules.js';

const { channels } = deliveryOptions.parse({
  channels: {
    withoutNamespace: { allowSubscribeForClient: true },
    namespaces: [
      {
        name: 'px',
        subscribeProxyEnabled: true,
        publishProxyEnabled: true,
        historySize: 3,
        historyTtlMs: 1_000,
      },
    ],
  },
});
const original = new ChannelRules(channels);
const rules = new CallbackRules(original);

describe('CallbackRules', () => {
  it('leaves no decision to a proxy, because this server is the proxy', () => {
    const rule = rules.find('px:a');
    expect(rule).toEqual({
      ...(original.find('px:a') as object),
      options: expect.objectContaining({
        subscribeProxyEnabled: false,
        publishProxyEnabled: false,
        historySize: 3,
      }) as object,
    });
    expect(rules.find('px:b')).toBe(rule);
  });

  it('returns other rules and faults as they are', () => {
    expect(rules.find('news')).toBe(original.find('news'));
    expect(rules.find('unknown:a')).toBe('unknownNamespace');
    expect(rules.find('~42')).toBe('badName');
  });
});
