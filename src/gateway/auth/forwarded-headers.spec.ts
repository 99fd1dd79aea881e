import { describe, expect, it } from '@jest/globals';
import { HeaderForwarding } from './forwarded-headers.js';

describe('HeaderForwarding', () => {
  it('copies only the named headers, without regard to case', () => {
    const forwarded = new HeaderForwarding(['Cookie', 'X-TENANT', 'cookie', '__proto__'], 100);
    const headers = { cookie: 'a=b', 'x-tenant': 'acme', authorization: 'secret' };
    expect(forwarded.of(headers)).toEqual({ cookie: 'a=b', 'x-tenant': 'acme' });
  });

  it('copies none by default', () => {
    expect(new HeaderForwarding([], 100).of({ cookie: 'a=b' })).toEqual({});
  });

  it('returns nothing if they are larger than allowed', () => {
    const forwarded = new HeaderForwarding(['a', 'b'], 10);
    expect(forwarded.of({ a: '1234', b: '1234' })).toEqual({ a: '1234', b: '1234' });
    expect(forwarded.of({ a: '1234', b: '12345' })).toBeUndefined();
  });
});
