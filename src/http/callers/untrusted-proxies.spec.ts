import { beforeEach, describe, expect, it } from '@jest/globals';
import { trustedProxies } from './client-identity.js';
import { UntrustedProxies } from './untrusted-proxies.js';

describe('UntrustedProxies', () => {
  let said: string[];
  const logger = { warn: (text: string) => void said.push(text) };
  const proxies = (areAllowed = false) =>
    new UntrustedProxies(trustedProxies(['10.0.0.1']), areAllowed, logger);
  const request = (remoteAddress: string, headers: Record<string, string>) => ({
    headers,
    socket: { remoteAddress },
  });
  beforeEach(() => {
    said = [];
  });

  it('hides who sends through a peer that is not trusted, and says once what to set', () => {
    const found = proxies();
    for (let i = 0; i < 3; i++)
      expect(found.hideSender(request('::ffff:10.0.0.2', { 'x-forwarded-for': '198.51.100.1' }))).toBe(true);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^10\.0\.0\.2 sends X-Forwarded-For, .*server\.trustedProxies$/);
  });

  it('hides who sends through a trusted proxy that sends only Forwarded, and says that it is not read', () => {
    expect(proxies().hideSender(request('10.0.0.1', { forwarded: 'for=198.51.100.1' }))).toBe(true);
    expect(said[0]).toMatch(/^10\.0\.0\.1 sends Forwarded, .* let it send X-Forwarded-For$/);
  });

  it('hides nobody else', () => {
    expect(proxies().hideSender(request('10.0.0.1', { 'x-forwarded-for': '198.51.100.1' }))).toBe(false);
    expect(proxies().hideSender(request('10.0.0.2', {}))).toBe(false);
    expect(proxies(true).hideSender(request('10.0.0.2', { forwarded: 'for=198.51.100.1' }))).toBe(false);
    expect(said).toEqual([]);
  });

  it('says that a limit refuses clients of a load balancer, also where it is allowed', () => {
    const found = proxies(true);
    found.onLimited(request('10.0.0.3', {}), 'gateway.limits.connectionsPerAddress');
    expect(said).toEqual([]);
    found.onLimited(
      request('10.0.0.2', { 'x-forwarded-for': '1.1.1.1' }),
      'gateway.limits.connectionsPerAddress',
    );
    expect(said[0]).toMatch(
      /^10\.0\.0\.2 .*share one gateway\.limits\.connectionsPerAddress.*server\.trustedProxies$/,
    );
  });
});
