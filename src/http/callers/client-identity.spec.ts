import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { clientAddress, clientIdentity, networkOf, trustedProxies } from './client-identity.js';

function request(remoteAddress: string | undefined, headers: Record<string, string> = {}) {
  return { headers, socket: { remoteAddress } };
}

const noProxies = trustedProxies([]);
const inner = trustedProxies(['loopback', '10.0.0.0/8', 'fd00::/8']);

describe('networkOf', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::ffff:0:0:1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('returns for %s the network %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('never throws for the address of a client', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (address) => {
        expect(() => networkOf(clientAddress(request(address), noProxies))).not.toThrow();
      }),
    );
  });
});

describe('clientAddress', () => {
  it('returns the address of the socket', () => {
    expect(clientAddress(request('203.0.113.7'), noProxies)).toBe('203.0.113.7');
  });

  it('ignores X-Forwarded-For of a sender that is not listed', () => {
    const spoof = request('203.0.113.7', { 'x-forwarded-for': '198.51.100.1' });
    expect(clientAddress(spoof, noProxies)).toBe('203.0.113.7');
    expect(clientAddress(spoof, inner)).toBe('203.0.113.7');
  });

  it.each([
    ['one proxy', '198.51.100.1', '198.51.100.1'],
    ['a chain of trusted proxies', '198.51.100.1, 10.0.0.9, 10.1.2.3', '198.51.100.1'],
    ['an entry before the first untrusted address', '1.1.1.1, 198.51.100.1, 10.0.0.9', '198.51.100.1'],
    ['an address with a port', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6 in brackets', '[2001:DB8:0:0::1]:4711', '2001:db8::1'],
    ['IPv4 in IPv6', '::ffff:198.51.100.1', '198.51.100.1'],
    ['only trusted hops', '10.0.0.9, 10.1.2.3', '10.0.0.9'],
    ['an invalid hop', 'unknown', '10.0.0.1'],
    ['an invalid hop before a valid one', 'unknown, 10.0.0.9', '10.0.0.9'],
    ['an empty header', '', '10.0.0.1'],
  ])('reads X-Forwarded-For of a trusted proxy: %s', (_, forwarded, expected) => {
    expect(clientAddress(request('10.0.0.1', { 'x-forwarded-for': forwarded }), inner)).toBe(expected);
  });

  it('returns one spelling for one address', () => {
    expect(clientAddress(request('::ffff:203.0.113.7'), noProxies)).toBe('203.0.113.7');
    expect(clientAddress(request('2001:0db8:0000::0001'), noProxies)).toBe('2001:db8::1');
    expect(clientAddress(request('::1'), noProxies)).toBe(clientAddress(request('127.0.0.1'), noProxies));
  });

  it('returns an empty string if the socket is closed', () => {
    expect(clientAddress(request(undefined, { 'x-forwarded-for': '198.51.100.1' }), inner)).toBe('');
  });

  it('does not let a client behind a trusted proxy choose its address', () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (claim, real) => {
        fc.pre(!inner(real));
        const seen = request('10.0.0.1', { 'x-forwarded-for': `${claim}, ${real}` });
        expect(clientAddress(seen, inner)).toBe(real);
      }),
    );
  });

  it('never throws, whatever the header contains', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(typeof clientAddress(request('10.0.0.1', { 'x-forwarded-for': header }), inner)).toBe(
          'string',
        );
      }),
    );
  });
});

describe('clientIdentity', () => {
  it('contains the User-Agent, or an empty string if there is none', () => {
    expect(clientIdentity(request('203.0.113.7', { 'user-agent': 'bell/1' }), noProxies)).toEqual({
      userAgent: 'bell/1',
      address: '203.0.113.7',
    });
    expect(clientIdentity(request('203.0.113.7'), noProxies).userAgent).toBe('');
  });
});

describe('trustedProxies', () => {
  it('refuses an entry that is not an address', () => {
    expect(() => trustedProxies(['example.com'])).toThrow(TypeError);
  });
});
