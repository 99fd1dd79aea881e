import { describe, expect, it } from '@jest/globals';
import type { CarillonError } from '../../errors.js';
import { ApiKeys } from './api-keys.js';
import { Callers } from './callers.js';
import { callerRateLimitOptions, type HttpModuleOptions } from '../http.options.js';

const OLD = 'the-old-key-0123456789';
const NEW = 'the-new-key-0123456789';

function callers(options: Partial<HttpModuleOptions> = {}) {
  const rateLimit = callerRateLimitOptions.parse(undefined);
  return new Callers({ apiKeys: [], rateLimit, trustedProxies: [], ...options });
}

function request(headers: Record<string, string> = {}, remoteAddress = '203.0.113.7') {
  return { headers: { 'user-agent': 'bell/1', ...headers }, socket: { remoteAddress } };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    return (error as CarillonError).code;
  }
}

describe('ApiKeys', () => {
  it('returns for each key a name that is not the key', () => {
    const keys = new ApiKeys([OLD, NEW]);
    expect(keys.match(OLD)).toBeDefined();
    expect(keys.match(NEW)).toBeDefined();
    expect(keys.match(OLD)).not.toBe(keys.match(NEW));
    expect(OLD).not.toContain(keys.match(OLD));
    for (const wrong of ['', OLD.slice(0, -1), `${OLD} `, OLD.toUpperCase()])
      expect(keys.match(wrong)).toBeUndefined();
  });
});

describe('Callers', () => {
  it('identifies a caller without a key by User-Agent and address', () => {
    expect(callers().admit(request())).toEqual({
      identity: { userAgent: 'bell/1', address: '203.0.113.7' },
      apiKeyName: undefined,
      isHidden: false,
    });
  });

  it('reads X-Forwarded-For from trusted proxies only', () => {
    const forwarded = request({ 'x-forwarded-for': '198.51.100.1' });
    expect(callers().admit(forwarded).identity.address).toBe('203.0.113.7');
    const behindProxy = callers({ trustedProxies: ['203.0.113.0/24'] });
    expect(behindProxy.admit(forwarded).identity.address).toBe('198.51.100.1');
  });

  it.each([
    { authorization: `Bearer ${OLD}` },
    { authorization: `bearer ${NEW}` },
    { 'x-api-key': NEW },
    { 'x-api-key': NEW, authorization: 'Basic eDp5' },
    { 'x-api-key': '', authorization: `Bearer ${OLD}` },
    { authorization: `apikey ${OLD}` },
  ])('accepts either key in either header: %j', (headers) => {
    const some = callers({ apiKeys: [OLD, NEW] });
    const caller = some.admit(request(headers));
    expect(caller.apiKeyName).toBeDefined();
    expect(codeOf(() => some.requireApiKey(caller))).toBe('ok');
  });

  it('reports a missing key and a wrong key with the same message', () => {
    const some = callers({ apiKeys: [OLD] });
    expect(() => some.admit(request({ 'x-api-key': 'wrong' }))).toThrow(/valid API key is required/);
    expect(() => some.requireApiKey(some.admit(request()))).toThrow(/valid API key is required/);
    expect(codeOf(() => some.admit(request({ authorization: 'Bearer wrong' })))).toBe('unauthorized');
  });

  it('names the setting if no key is configured, even if a key is presented', () => {
    const none = callers();
    const caller = none.admit(request({ authorization: 'Bearer something-else' }));
    expect(codeOf(() => none.requireApiKey(caller))).toBe('api_key_not_configured');
    expect(() => none.requireApiKey(caller)).toThrow(/CARILLON_API_KEY/);
  });

  it('limits an address regardless of User-Agent and counts wrong keys, but does not limit callers with a key', () => {
    const some = callers({ apiKeys: [OLD], rateLimit: { perSecond: 0.001, burst: 2 } });
    expect(codeOf(() => some.admit(request({ 'user-agent': 'a' })))).toBe('ok');
    expect(codeOf(() => some.admit(request({ 'x-api-key': 'guess' })))).toBe('unauthorized');
    expect(codeOf(() => some.admit(request({ 'user-agent': 'b' })))).toBe('rate_limited');
    expect(codeOf(() => some.admit(request({ 'x-api-key': 'guess' })))).toBe('rate_limited');
    expect(codeOf(() => some.admit(request({ 'x-api-key': OLD })))).toBe('ok');
    expect(codeOf(() => some.admit(request({}, '203.0.113.8')))).toBe('ok');
  });

  it('counts all addresses of one IPv6 network together, because one customer has them all', () => {
    const some = callers({ rateLimit: { perSecond: 0.001, burst: 1 } });
    expect(codeOf(() => some.admit(request({}, '2001:db8::1')))).toBe('ok');
    expect(codeOf(() => some.admit(request({}, '2001:db8::2')))).toBe('rate_limited');
    expect(codeOf(() => some.admit(request({}, '2001:db8:0:1::1')))).toBe('ok');
  });
});
