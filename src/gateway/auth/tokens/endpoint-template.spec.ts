import { describe, expect, it } from '@jest/globals';
import { EndpointTemplate } from './endpoint-template.js';
import { tokenOptions } from './tokens.options.js';

describe('EndpointTemplate', () => {
  const filled = (endpoint: string, values: Record<string, string>): string | undefined =>
    new EndpointTemplate(endpoint).addressWith(new Map(Object.entries(values)));

  it.each([
    ['https://id.test/{{realm}}/certs', { realm: 'one' }, 'https://id.test/one/certs'],
    ['https://id.test/{{a}}/{{b}}?of={{a}}', { a: '1', b: '2' }, 'https://id.test/1/2?of=1'],
    ['https://{{a}}.id.test/{{b}}', { a: 'One-1', b: 'x@y' }, 'https://one-1.id.test/x%40y'],
    ['https://id.test/{{realm}}', { realm: 'a?b#c&d%2e' }, 'https://id.test/a%3Fb%23c%26d%252e'],
    ['https://id.test/{{realm}}', { realm: '.hidden' }, 'https://id.test/.hidden'],
  ])('fills %s with %j', (endpoint, values, expected) => {
    expect(filled(endpoint, values as Record<string, string>)).toBe(expected);
  });

  it.each(['', '.', '..', 'a/b', 'a\\b', 'a\nb', '\uD800', 'x'.repeat(256)])(
    'does not put %j into a path',
    (realm) => {
      expect(filled('https://id.test/{{realm}}/certs', { realm })).toBeUndefined();
    },
  );

  it.each(['', 'a.b', '-a', 'a/', 'a@b', 'a:1', '[::1]', 'é', '\u212A', '%61', 'a b', 'x'.repeat(64)])(
    'does not put %j into a host',
    (tenant) => {
      expect(filled('https://{{tenant}}.id.test/certs', { tenant })).toBeUndefined();
    },
  );

  it('is not filled without a value for each placeholder', () => {
    expect(filled('https://id.test/{{realm}}/{{other}}', { realm: 'one' })).toBeUndefined();
  });
});

describe('the endpoint of a key set', () => {
  const faults = (endpoint: string, expressions: object): string[] => {
    const parsed = tokenOptions.safeParse({ jwks: { endpoint }, ...expressions });
    return parsed.error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) ?? [];
  };
  const groups = {
    issuerRegex: '^https://(?P<list>one|two-2)/(?<any>[a-z]+)/$',
    audienceRegex: '^(?P<aud>a|b)$',
  };

  it.each([
    'https://id.test/keys',
    'https://id.test/{{any}}/{{aud}}?{{list}}={{any}}',
    'https://me:secret@{{list}}.id.test:8443/{{any}}',
    'http://{{list}}-{{aud}}.id.test/keys',
    'http://{{list}}/keys',
  ])('may be %s', (endpoint) => {
    expect(faults(endpoint, groups)).toEqual([]);
  });

  it.each([
    ['ftp://id.test/{{any}}', /not an http or https URL/],
    ['https://id.test/{{other}}', /{{other}}, but issuerRegex and audienceRegex have no group/],
    ['https://id.test/{{ any }}', /no group/],
    ['https://id.test/{{}}', /no group/],
    ['https://id.test/{{any}', /braces/],
    ['https://id.test/{{any}}/}}', /braces/],
    ['https://id.test:{{any}}/', /not an http or https URL/],
    ['https://{{any}}@id.test/', /only in its host, path and query/],
    ['https://id.test/#{{any}}', /only in its host, path and query/],
    ['https://{{any}}.id.test/', /{{any}} in its host, so its group has to be a list of values/],
    ['https://id%2e{{list}}/', /not a host name|not an http/],
  ])('may not be %s', (endpoint, fault) => {
    expect(faults(endpoint, groups)).toEqual([expect.stringMatching(fault)]);
  });

  it('is refused if both expressions have the group of a placeholder', () => {
    const both = { issuerRegex: '(?P<a>x)', audienceRegex: '(?P<a>y)' };
    expect(faults('https://id.test/{{a}}', both)).toEqual([expect.stringMatching(/rename one/)]);
  });

  it.each([
    '(?P<list>one|.+)',
    '(?P<list>one|(two))',
    '(?P<list>[a-z]+)',
    '(?P<list>)',
    '(?P<list>a.b)',
    '(?P<list>a+)',
  ])('is refused if its host gets the group %s', (issuerRegex) => {
    expect(faults('https://{{list}}.id.test/', { issuerRegex })).toEqual([
      expect.stringMatching(/has to be a list of values/),
    ]);
  });
});
