import { describe, expect, it } from '@jest/globals';
import {
  connectionChannel,
  identityChannel,
  newConnectionId,
  nodeId,
  routeOf,
  userChannel,
} from './address.js';

describe('addresses', () => {
  it('share one route among the connections of a node', () => {
    const routes = [newConnectionId(), newConnectionId()].map((id) => routeOf(connectionChannel(id)));
    expect(routes).toEqual([`~node:${nodeId}`, `~node:${nodeId}`]);
  });

  it('use the channel as the route of everything else', () => {
    for (const channel of ['news', userChannel('7'), identityChannel('agent', '::1')])
      expect(routeOf(channel)).toBe(channel);
  });

  it('distinguish identities by both of their parts, and contain neither of them', () => {
    const channels = [
      ['agent', '10.0.0.1'],
      ['agent', '10.0.0.2'],
      ['other', '10.0.0.1'],
      ['agent1', '0.0.0.1'],
    ].map(([agent, address]) => identityChannel(agent!, address!));
    expect(new Set(channels).size).toBe(4);
    expect(channels.join()).not.toMatch(/agent|10\.0/);
  });
});
