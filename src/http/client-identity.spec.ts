import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { clientAddress, clientIdentity, networkOf, trustedProxies } from './client-identity.js';

function request(remoteAddress: string | undefined, headers: Record<string, string> = {}) {
  return { headers, socket: { remoteAddress } };
}

const nobody = trustedProxies([]);
const inner = trustedProxies(['loopback', '10.0.0.0/8', 'fd00::/8']);

describe('networkOf', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::ffff:0:0:1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('never throws for an address of a client', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (address) => {
        expect(() => networkOf(clientAddress(request(address), nobody))).not.toThrow();
      }),
    );
  });
});

describe('clientAddress', () => {
  it('is the address of the socket', () => {
    expect(clientAddress(request('203.0.113.7'), nobody)).toBe('203.0.113.7');
  });

  it('believes nobody who is not listed', () => {
    const spoof = request('203.0.113.7', { 'x-forwarded-for': '198.51.100.1' });
    expect(clientAddress(spoof, nobody)).toBe('203.0.113.7');
    expect(clientAddress(spoof, inner)).toBe('203.0.113.7');
  });

  it.each([
    ['one proxy', '198.51.100.1', '198.51.100.1'],
    ['a chain of trusted proxies', '198.51.100.1, 10.0.0.9, 10.1.2.3', '198.51.100.1'],
    ['a claim before the first stranger', '1.1.1.1, 198.51.100.1, 10.0.0.9', '198.51.100.1'],
    ['an address with a port', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6 in brackets', '[2001:DB8:0:0::1]:4711', '2001:db8::1'],
    ['IPv4 in IPv6', '::ffff:198.51.100.1', '198.51.100.1'],
    ['only trusted hops', '10.0.0.9, 10.1.2.3', '10.0.0.9'],
    ['a hop that is no address', 'unknown', '10.0.0.1'],
    ['a hop that is no address behind one that is', 'unknown, 10.0.0.9', '10.0.0.9'],
    ['an empty header', '', '10.0.0.1'],
  ])('reads X-Forwarded-For of a trusted proxy: %s', (_, forwarded, expected) => {
    expect(clientAddress(request('10.0.0.1', { 'x-forwarded-for': forwarded }), inner)).toBe(expected);
  });

  it('spells one address one way', () => {
    expect(clientAddress(request('::ffff:203.0.113.7'), nobody)).toBe('203.0.113.7');
    expect(clientAddress(request('2001:0db8:0000::0001'), nobody)).toBe('2001:db8::1');
    expect(clientAddress(request('::1'), nobody)).toBe(clientAddress(request('127.0.0.1'), nobody));
  });

  it('is empty when the socket is gone', () => {
    expect(clientAddress(request(undefined, { 'x-forwarded-for': '198.51.100.1' }), inner)).toBe('');
  });

  it('gives a client behind a trusted proxy no way to choose its address', () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (claim, real) => {
        fc.pre(!inner(real));
        const seen = request('10.0.0.1', { 'x-forwarded-for': `${claim}, ${real}` });
        expect(clientAddress(seen, inner)).toBe(real);
      }),
    );
  });

  it('never throws, whatever the header holds', () => {
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
  it('holds the User-Agent, empty where there is none', () => {
    expect(clientIdentity(request('203.0.113.7', { 'user-agent': 'bell/1' }), nobody)).toEqual({
      userAgent: 'bell/1',
      address: '203.0.113.7',
    });
    expect(clientIdentity(request('203.0.113.7'), nobody).userAgent).toBe('');
  });
});

describe('trustedProxies', () => {
  it('refuses what is no address', () => {
    expect(() => trustedProxies(['example.com'])).toThrow(TypeError);
  });
});
