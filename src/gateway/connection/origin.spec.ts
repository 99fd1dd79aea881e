import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { gatewayOptionsFor } from '../gateway.options.js';
import { Origins } from './origin.js';

const none = new Origins([]);
const listed = new Origins(['https://app.example.com', 'null']);

describe('Origins', () => {
  it('accepts clients that are not browsers', () => {
    expect(none.allow(undefined, 'example.com')).toBe(true);
    expect(listed.allow(undefined, 'example.com')).toBe(true);
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
    expect(listed.allow(origin, 'app.example.com')).toBe(expected);
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
    expect(none.allow(origin, host)).toBe(expected);
  });

  it.each([
    ['https://example.com', 'https', true],
    ['http://example.com', 'https', false],
    ['http://example.com', 'http', true],
    ['https://example.com', 'http', false],
    ['ionic://example.com', undefined, false],
  ] as const)(
    'without a list, compares the scheme if it is known: %s over %s',
    (origin, scheme, expected) => {
      expect(none.allow(origin, 'example.com', scheme)).toBe(expected);
    },
  );

  it.each([
    ['https://a.example.com', true],
    ['https://a.b.example.com', true],
    ['HTTPS://A.EXAMPLE.COM', true],
    ['https://example.com', false],
    ['https://a.example.com.evil.org', false],
    ['https://a-example.com', false],
    ['http://a.example.com', false],
    ['http://localhost:5173', true],
    ['http://localhost.evil.org', false],
    ['ionic://shop.test', true],
    ['http://[::1]:8080', true],
    ['http://:::8080', false],
  ])('matches any text with a star in the list: %j', (origin, expected) => {
    const patterns = ['https://*.Example.com', 'http://localhost:*', '*://shop.test', 'http://[::1]:*'];
    expect(new Origins(patterns).allow(origin, 'example.com')).toBe(expected);
  });

  it('accepts every origin if * is listed', () => {
    fc.assert(
      fc.property(fc.string(), (origin) => {
        expect(new Origins(['*']).allow(origin, 'example.com')).toBe(true);
      }),
    );
  });

  it('refuses pages of another host, and never throws', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.string(), (page, host) => {
        fc.pre(new URL(page).host !== 'example.com');
        expect(none.allow(new URL(page).origin, 'example.com')).toBe(false);
        none.allow(page, host);
      }),
    );
  });
});

describe('allowedOrigins', () => {
  it.each([
    '*',
    'null',
    'https://example.com',
    'http://localhost:3000',
    'capacitor://localhost',
    'https://*.example.com',
  ])('accepts %s', (origin) => {
    expect(gatewayOptionsFor([]).safeParse({ allowedOrigins: [origin] }).success).toBe(true);
  });

  it.each(['example.com', 'https://example.com/', 'https://*.example.com/x', ''])(
    'refuses %j, which no browser sends',
    (origin) => {
      expect(gatewayOptionsFor([]).safeParse({ allowedOrigins: [origin] }).success).toBe(false);
    },
  );
});
