import { describe, expect, it } from '@jest/globals';
import type { ClientSubscription } from './client-subscription.js';
import { Subscriptions } from './subscriptions.js';

const to = (channel: string) => ({ channel }) as ClientSubscription;

describe.each([
  ['few', 3],
  ['as many as a list holds', 8],
  ['many', 50],
])('Subscriptions, %s', (_, count) => {
  const subscriptions = new Subscriptions();
  const all = Array.from({ length: count }, (__, n) => to(`channel ${n}`));
  for (const each of all) subscriptions.add(each);

  it('are found by channel', () => {
    expect(subscriptions.size).toBe(count);
    for (const each of all) expect(subscriptions.get(each.channel)).toBe(each);
    expect(subscriptions.get('another')).toBeUndefined();
    expect(subscriptions.toArray()).toEqual(all);
  });

  it('can be deleted during an iteration', () => {
    for (const each of subscriptions.toArray()) {
      subscriptions.delete(each.channel);
      subscriptions.delete(each.channel);
      expect(subscriptions.get(each.channel)).toBeUndefined();
    }
    expect(subscriptions.size).toBe(0);
  });
});
