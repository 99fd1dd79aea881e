import { describe, expect, it } from '@jest/globals';
import { PathPattern } from './path-pattern.js';

describe('PathPattern', () => {
  it('matches a literal path exactly', () => {
    const pattern = new PathPattern('/message');
    expect(pattern.isLiteral).toBe(true);
    expect(pattern.match('/message')).toEqual({});
    for (const path of ['/message/', '/Message', '/%6dessage', '', '/'])
      expect(pattern.match(path)).toBeUndefined();
  });

  it('returns the parameters of a path', () => {
    const pattern = new PathPattern('/app/:key/room/:room');
    expect(pattern.isLiteral).toBe(false);
    expect(pattern.match('/app/k1/room/a')).toEqual({ key: 'k1', room: 'a' });
  });

  it('decodes parameters', () => {
    expect(new PathPattern('/t/:room').match('/t/a%2Fb%20c')).toEqual({ room: 'a/b c' });
  });

  it.each(['/t', '/t/', '/t//', '/t/a/b', '/u/a', '/t/%', '/t/%ff'])('does not match %s', (path) => {
    expect(new PathPattern('/t/:room').match(path)).toBeUndefined();
  });

  it('takes the name of a parameter for nothing but a name', () => {
    expect(Object.keys(new PathPattern('/t/:constructor').match('/t/a') ?? {})).toEqual(['constructor']);
  });
});
