import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { gatewayOptions } from './gateway.options.js';
import { isOriginAllowed } from './origin.js';

const none = new Set<string>();
const listed = new Set(['https://app.example.com', 'null']);

describe('isOriginAllowed', () => {
  it('lets in clients that are no browsers', () => {
    expect(isOriginAllowed(undefined, 'example.com', none)).toBe(true);
    expect(isOriginAllowed(undefined, 'example.com', listed)).toBe(true);
  });

  it.each([
    ['https://app.example.com', true],
    ['http://app.example.com', false],
    ['https://app.example.com:8443', false],
    ['https://app.example.com.evil.org', false],
    ['https://evil.org/https://app.example.com', false],
    ['https://xapp.example.com', false],
    ['null', true],
    ['', false],
  ])('compares %j with the list exactly', (origin, expected) => {
    expect(isOriginAllowed(origin, 'app.example.com', listed)).toBe(expected);
  });

  it.each([
    ['https://example.com', 'example.com', true],
    ['https://example.com', 'EXAMPLE.com:443', true],
    ['http://example.com', 'example.com:80', true],
    ['http://localhost:3000', 'localhost:3000', true],
    ['http://[::1]:3000', '[::1]:3000', true],
    ['http://localhost:3000', 'localhost:3001', false],
    ['https://example.com', 'example.com:80', false],
    ['https://evil.org', 'example.com', false],
    ['https://example.com', undefined, false],
    ['null', 'example.com', false],
    ['file://', '', false],
    ['', '', false],
  ])('without a list, compares the host: %s at %s', (origin, host, expected) => {
    expect(isOriginAllowed(origin, host, none)).toBe(expected);
  });

  it('lets all in by *', () => {
    fc.assert(
      fc.property(fc.string(), (origin) => {
        expect(isOriginAllowed(origin, 'example.com', new Set(['*']))).toBe(true);
      }),
    );
  });

  it('lets no page of another host in, and never throws', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.string(), (page, host) => {
        fc.pre(new URL(page).host !== 'example.com');
        expect(isOriginAllowed(new URL(page).origin, 'example.com', none)).toBe(false);
        isOriginAllowed(page, host, none);
      }),
    );
  });
});

describe('allowedOrigins', () => {
  it.each(['*', 'null', 'https://example.com', 'http://localhost:3000', 'capacitor://localhost'])(
    'takes %s',
    (origin) => {
      expect(gatewayOptions.safeParse({ allowedOrigins: [origin] }).success).toBe(true);
    },
  );

  it.each(['example.com', 'https://example.com/', 'https://*.example.com/x', ''])(
    'refuses %j, which no browser sends',
    (origin) => {
      expect(gatewayOptions.safeParse({ allowedOrigins: [origin] }).success).toBe(false);
    },
  );
});
