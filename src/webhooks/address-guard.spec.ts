import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from '@jest/globals';
import { AddressGuard, isAddressRange } from './address-guard.js';
import { WebhookAddressRefusedError } from './webhooks.errors.js';

const guard = new AddressGuard({ allow: [], deny: [] });

/** Resolves every name to these addresses. */
function resolving(...addresses: string[]): ConstructorParameters<typeof AddressGuard>[1] {
  const found = addresses.map((address): LookupAddress => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }));
  const resolve = (_: string, __: object, callback: (error: null, found: LookupAddress[]) => void) =>
    callback(null, found);
  return resolve as never;
}

describe('AddressGuard', () => {
  it.each([
    ['93.184.216.34', true, true],
    ['2606:4700::1111', true, true],
    ['10.1.2.3', true, false],
    ['127.0.0.1', true, false],
    ['::1', true, false],
    ['fd12::1', true, false],
    ['100.64.0.1', true, false],
    ['169.254.169.254', false, false],
    ['fe80::1', false, false],
    ['100.100.100.200', false, false],
    ['168.63.129.16', false, false],
    ['fd00:ec2::254', false, false],
    ['0.0.0.0', false, false],
    ['::', false, false],
    ['224.0.0.1', false, false],
    ['255.255.255.255', false, false],
    ['::ffff:169.254.169.254', false, false],
    ['::ffff:10.1.2.3', true, false],
    ['64:ff9b::a9fe:a9fe', false, false],
    ['64:ff9b::5db8:d822', true, true],
    ['2002:a9fe:a9fe::1', false, false],
    ['2001:0:53aa:64c:0:0:0:1', false, false],
    ['not an address', false, false],
  ])('%s: for a configured target %s, for another one %s', (address, configured, other) => {
    expect([guard.permits(address, 'configured'), guard.permits(address, 'public')]).toEqual([
      configured,
      other,
    ]);
  });

  it('follows its rules: a deny rule wins over an allow rule, and that over the default', () => {
    const ruled = new AddressGuard({
      allow: ['169.254.169.0/24', '10.1.2.3'],
      deny: ['10.0.0.0/8', '1.1.1.1'],
    });
    const permitted = ['169.254.169.254', '169.254.1.1', '10.1.2.3', '1.1.1.1', '1.0.0.1'].map((address) =>
      ruled.permits(address, 'configured'),
    );
    expect(permitted).toEqual([true, false, false, false, true]);
  });

  it('permits an address that the operator wrote into a URL, unless a rule denies it', () => {
    const ruled = new AddressGuard({ allow: [], deny: ['127.0.0.0/8'] });
    expect(guard.permitsHost('169.254.169.254', 'configured')).toBe(true);
    expect(guard.permitsHost('[fe80::1]', 'configured')).toBe(true);
    expect(guard.permitsHost('169.254.169.254', 'public')).toBe(false);
    expect(ruled.permitsHost('127.0.0.1', 'configured')).toBe(false);
    expect(ruled.permitsHost('a.example', 'public')).toBe(true);
  });

  it('connects only to those addresses of a name that may be called', async () => {
    const mixed = new AddressGuard(
      { allow: [], deny: [] },
      resolving('169.254.169.254', '10.0.0.1', 'fe80::1'),
    );
    const all = await new Promise((resolve) =>
      mixed.lookup('configured')('a.example', { all: true }, (_, found) => resolve(found)),
    );
    expect(all).toEqual([{ address: '10.0.0.1', family: 4 }]);
    const first = await new Promise((resolve) =>
      mixed.lookup('configured')('a.example', {}, (_, ...found) => resolve(found)),
    );
    expect(first).toEqual(['10.0.0.1', 4]);
  });

  it('refuses a name that resolves to nothing else', async () => {
    const internal = new AddressGuard({ allow: [], deny: [] }, resolving('169.254.169.254'));
    const error = await new Promise<Error | null>((resolve) =>
      internal.lookup('configured')('a.example', { all: true }, resolve),
    );
    expect(error).toBeInstanceOf(WebhookAddressRefusedError);
    expect(error?.message).toContain('a.example resolves to 169.254.169.254');
  });
});

describe('isAddressRange', () => {
  it.each([
    ['10.0.0.0/8', true],
    ['::1', true],
    ['10.0.0.0/33', false],
    ['a.example', false],
    ['', false],
  ])('of %s is %s', (text, expected) => {
    expect(isAddressRange(text)).toBe(expected);
  });
});
