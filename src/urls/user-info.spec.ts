import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { redactUrls, splitUserInfo } from './index.js';

describe('redactUrls', () => {
  it.each([
    ['cannot reach redis://me:pass@h:6379/0', 'cannot reach redis://…@h:6379/0'],
    ['redis://:p@ss@h and https://u@h/x?a=1', 'redis://…@h and https://…@h/x?a=1'],
    ['pulsar+ssl://a:b@h', 'pulsar+ssl://…@h'],
    ['{"url":"http://h","mail":"a@b"}', '{"url":"http://h","mail":"a@b"}'],
    [String.raw`http://h\nme@example.com`, String.raw`http://h\nme@example.com`],
    ['http://h/a@b', 'http://h/a@b'],
    ['no URL: a@b', 'no URL: a@b'],
  ])('%s', (text, expected) => {
    expect(redactUrls(text)).toBe(expected);
  });

  it('removes every password that a URL can contain', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 8 }), (user, password) => {
        const url = new URL('redis://host:6379/1');
        url.username = user;
        url.password = password;
        expect(redactUrls(`a ${url.href} b`)).toBe('a redis://…@host:6379/1 b');
      }),
    );
  });
});

describe('splitUserInfo', () => {
  it.each([
    ['https://h/keys', 'https://h/keys', undefined],
    ['https://me:p%40ss@h/keys', 'https://h/keys', 'me:p@ss'],
    ['https://me@h/keys', 'https://h/keys', 'me:'],
    ['https://:50%25%@h/keys', 'https://h/keys', ':50%25%'],
  ])('%s', (given, url, credentials) => {
    const authorization = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    expect(splitUserInfo(given)).toEqual({ url, authorization });
  });
});
