import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { createVerifiers, TokenVerifier } from './token-verifier.js';
import { tokenOptions, tokensOptions } from './tokens.options.js';
import type { Outcome } from './signature.js';
import type { z } from 'zod';

const NOW = 1_790_000_000;
const SECRET = 'secret';

type Given = z.input<typeof tokenOptions>;

const verifier = (given: Given = { hmacSecretKey: SECRET }): TokenVerifier =>
  new TokenVerifier(tokenOptions.parse(given), () => NOW * 1000);

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

function hmacToken(
  claims: unknown,
  secret = SECRET,
  header: object = { alg: 'HS256' },
  hash = 'sha256',
): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.detail}`);
  return outcome.value;
}

async function reasonOf(outcome: Outcome<unknown> | Promise<Outcome<unknown>>): Promise<string> {
  const settled = await outcome;
  return settled.ok ? 'ok' : settled.reason;
}

const connection = (claims: unknown, given?: Given) => verifier(given).verifyConnection(hmacToken(claims));

describe('TokenVerifier: signatures', () => {
  it.each([
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ])('verifies %s without a promise', (alg, hash) => {
    const outcome = verifier().verifyConnection(hmacToken({ sub: '42' }, SECRET, { alg }, hash));
    expect(outcome).toMatchObject({ ok: true, value: { user: '42' } });
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
  const keys = {
    rsaPublicKey: pem(rsa.publicKey),
    ecdsaPublicKey: pem(ec.publicKey),
    ed25519PublicKey: pem(ed.publicKey),
  };
  const sign = (alg: string, key: KeyObject): Promise<string> =>
    new SignJWT({ sub: '42' }).setProtectedHeader({ alg }).sign(key);

  it.each([
    ['RS256', rsa],
    ['RS512', rsa],
    ['ES256', ec],
    ['EdDSA', ed],
  ])('verifies %s', async (alg, { privateKey }) => {
    const token = await sign(alg, privateKey);
    expect(value(await verifier(keys).verifyConnection(token)).user).toBe('42');
    expect(await reasonOf(verifier().verifyConnection(token))).toBe('invalid');
    expect(await reasonOf(verifier(keys).verifyConnection(`${token.slice(0, -8)}AAAAAAAA`))).toBe('invalid');
  });

  it('refuses the signature of another key', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(await reasonOf(verifier(keys).verifyConnection(await sign('RS256', other)))).toBe('invalid');
  });

  it('refuses an EC key with a curve that does not belong to the algorithm', async () => {
    const header = encode({ alg: 'ES384' });
    const [, payload, signature] = (await sign('ES256', ec.privateKey)).split('.');
    expect(await reasonOf(verifier(keys).verifyConnection(`${header}.${payload}.${signature}`))).toBe(
      'invalid',
    );
  });

  it('refuses an HMAC that was made with a public key', async () => {
    const token = hmacToken({ sub: '42' }, keys.rsaPublicKey);
    expect(await reasonOf(verifier(keys).verifyConnection(token))).toBe('invalid');
    expect(await reasonOf(verifier({ ...keys, hmacSecretKey: SECRET }).verifyConnection(token))).toBe(
      'invalid',
    );
  });

  it.each([
    ['no algorithm', `${encode({ alg: 'none' })}.${encode({ sub: '42' })}.`],
    ['no algorithm, in capitals', `${encode({ alg: 'NONE' })}.${encode({ sub: '42' })}.`],
    ['an algorithm that objects inherit', hmacToken({}, SECRET, { alg: 'constructor' })],
    [
      'an extension that must be understood',
      hmacToken({}, SECRET, { alg: 'HS256', crit: ['b64'], b64: false }),
    ],
    ['a header that is not an object', `${encode('null')}.${encode({})}.x`],
    ['another secret', hmacToken({ sub: '42' }, 'other')],
    ['a changed payload', hmacToken({ sub: '42' }).replace(/\.[^.]+\./, `.${encode({ sub: '43' })}.`)],
    ['a longer signature', `${hmacToken({ sub: '42' })}A`],
    ['an empty signature', hmacToken({ sub: '42' }).replace(/[^.]+$/, '')],
    ['two parts', 'a.b'],
    ['one part', 'abc'],
    ['nothing', ''],
  ])('refuses %s', async (_, token) => {
    expect(await reasonOf(verifier({ ...keys, hmacSecretKey: SECRET }).verifyConnection(token))).toBe(
      'invalid',
    );
  });

  it('refuses every signature if no key is configured', async () => {
    expect(await reasonOf(verifier({}).verifyConnection(hmacToken({ sub: '42' })))).toBe('invalid');
  });

  it('accepts the previous secret until its end', async () => {
    const reason = (until?: number): Promise<string> => {
      const given = {
        hmacSecretKey: 'new',
        hmacPreviousSecretKey: SECRET,
        hmacPreviousSecretKeyValidUntil: until,
      };
      return reasonOf(connection({ sub: '42' }, given));
    };
    expect(await reason()).toBe('ok');
    expect(await reason(NOW + 1)).toBe('ok');
    expect(await reason(NOW)).toBe('invalid');
  });
});

describe('TokenVerifier: times', () => {
  it.each([
    [{ exp: NOW + 1 }, 'ok'],
    [{ exp: NOW + 0.5 }, 'ok'],
    [{ exp: NOW }, 'expired'],
    [{ exp: NOW - 60 }, 'expired'],
    [{ exp: 0 }, 'expired'],
    [{ nbf: NOW }, 'ok'],
    [{ nbf: NOW + 600 }, 'expired'],
    [{ exp: 'tomorrow' }, 'invalid'],
    [{ exp: null, nbf: null, iat: NOW + 5, jti: 'x' }, 'ok'],
  ])('finds %j %s', async (claims, expected) => {
    expect(await reasonOf(connection(claims))).toBe(expected);
    expect(await reasonOf(verifier().verifySubscription(hmacToken({ channel: 'c', ...claims })))).toBe(
      expected,
    );
  });

  it.each([
    [{}, undefined],
    [{ exp: NOW + 300 }, NOW + 300],
    [{ exp: NOW + 300, expire_at: NOW + 10 }, NOW + 10],
    [{ exp: NOW + 300, expire_at: 0 }, undefined],
    [{ expire_at: NOW - 10 }, NOW - 10],
    [{ exp: NOW + 10 * 365 * 86_400 }, NOW + 365 * 86_400],
  ])('reads the expiry of %j: %s', async (claims, expected) => {
    expect(value(await connection(claims)).expireAt).toBe(expected);
  });
});

describe('TokenVerifier: audience and issuer', () => {
  it.each<[Given, object, string]>([
    [{ audience: 'a' }, { aud: 'a' }, 'ok'],
    [{ audience: 'a' }, { aud: ['b', 'a'] }, 'ok'],
    [{ audience: 'a' }, { aud: ['b'] }, 'invalid'],
    [{ audience: 'a' }, {}, 'invalid'],
    [{ audienceRegex: '^app-\\d+$' }, { aud: ['x', 'app-7'] }, 'ok'],
    [{ audienceRegex: '^app-\\d+$' }, { aud: 'app-x' }, 'invalid'],
    [{ issuer: 'i' }, { iss: 'i' }, 'ok'],
    [{ issuer: 'i' }, { iss: 'ii' }, 'invalid'],
    [{ issuer: 'i' }, {}, 'invalid'],
    [{ issuerRegex: '^https://' }, { iss: 'https://id' }, 'ok'],
    [{ issuerRegex: '^https://(?P<tenant>[[:alnum:]]+)\\.id$' }, { iss: 'https://a.id' }, 'ok'],
    [{ issuerRegex: '^(a+)+$' }, { iss: `${'a'.repeat(1000)}!` }, 'invalid'],
    [{ issuerRegex: '^https://' }, { iss: 'http://id' }, 'invalid'],
    [{}, { aud: 5 }, 'ok'],
    [{ audience: 'a' }, { aud: 5 }, 'invalid'],
    [{ audience: 'a' }, { aud: 'b', exp: NOW - 1 }, 'expired'],
  ])('%j and %j: %s', async (given, claims, expected) => {
    expect(await reasonOf(connection(claims, { hmacSecretKey: SECRET, ...given }))).toBe(expected);
  });
});

describe('TokenVerifier: connection tokens', () => {
  it('reads the user, or none', async () => {
    expect(value(await connection({})).user).toBe('');
    expect(await reasonOf(connection({ sub: 42 }))).toBe('invalid');
  });

  it('reads the user from a configured claim, which may be a number', async () => {
    const given: Given = { hmacSecretKey: SECRET, userIdClaim: 'uid' };
    expect(value(await connection({ sub: 'x', uid: 'y' }, given)).user).toBe('y');
    expect(value(await connection({ sub: 'x', uid: 7 }, given)).user).toBe('7');
    expect(value(await connection({ sub: 'x' }, given)).user).toBe('');
  });

  it('reads payloads byte for byte', async () => {
    const token = value(await connection('{"info":{"n": 1.0},"meta":[ "\\u0041" ]}'));
    expect(token.info?.toString()).toBe('{"n": 1.0}');
    expect(token.meta?.toString()).toBe('[ "\\u0041" ]');
  });

  it('prefers the base64 form of a payload', async () => {
    const claims = { info: {}, b64info: Buffer.from([0, 255]).toString('base64') };
    expect(value(await connection(claims)).info).toEqual(Buffer.from([0, 255]));
    expect(await reasonOf(connection({ b64info: '!' }))).toBe('invalid');
  });

  it('reads channels, or subscriptions with their grants', async () => {
    const listed = value(await connection({ channels: ['a', 'b'] })).subs;
    expect([...listed]).toEqual([
      ['a', { info: undefined, data: undefined, override: {} }],
      ['b', { info: undefined, data: undefined, override: {} }],
    ]);
    const sub = {
      info: { role: 'x' },
      data: { d: 1 },
      override: {
        join_leave: { value: false },
        presence: { value: true },
        force_recovery: {},
        unknown: { value: true },
      },
    };
    const noSubs = value(await connection({ channels: ['a', ''], subs: {} })).subs;
    expect([...noSubs.keys()]).toEqual(['a']);
    const { subs } = value(await connection({ channels: ['a'], subs: { 'chat:ss3': sub, __proto: null } }));
    expect([...subs.keys()]).toEqual(['chat:ss3', '__proto']);
    expect(subs.get('chat:ss3')).toEqual({
      info: Buffer.from('{"role":"x"}'),
      data: Buffer.from('{"d":1}'),
      override: { joinLeave: false, presence: true, forceRecovery: false },
    });
  });

  it.each([
    { channel: 'c' },
    { channels: 'a' },
    { channels: [1] },
    { subs: ['a'] },
    { subs: { a: 1 } },
    [],
    'null',
    '"s"',
    '{',
  ])('refuses the claims %j', async (claims) => {
    expect(await reasonOf(connection(claims))).toBe('invalid');
  });
});

describe('TokenVerifier: subscription tokens', () => {
  const subscription = (claims: unknown) => verifier().verifySubscription(hmacToken(claims));

  it('reads the channel and the grant', async () => {
    const claims = {
      sub: '42',
      channel: 'c',
      client: 'id',
      info: 1,
      b64data: 'AA==',
      exp: NOW + 5,
      override: { force_positioning: { value: true } },
    };
    expect(value(await subscription(claims))).toEqual({
      user: '42',
      channel: 'c',
      client: 'id',
      expireAt: NOW + 5,
      info: Buffer.from('1'),
      data: Buffer.from([0]),
      override: { forcePositioning: true },
    });
  });

  it('refuses a token without a channel', async () => {
    expect(await reasonOf(subscription({ sub: '42' }))).toBe('invalid');
    expect(await reasonOf(subscription({ sub: '42', channel: '' }))).toBe('invalid');
  });
});

describe('createVerifiers', () => {
  it('uses the keys of connection tokens for both kinds, unless subscription tokens have their own', async () => {
    const token = hmacToken({ channel: 'c' });
    const connectionKeys = { hmacSecretKey: SECRET };
    const shared = createVerifiers(tokensOptions.parse({ connection: connectionKeys }));
    const apart = createVerifiers(
      tokensOptions.parse({ connection: connectionKeys, subscription: { hmacSecretKey: 'x' } }),
    );
    expect(await reasonOf(shared.subscription.verifySubscription(token))).toBe('ok');
    expect(await reasonOf(apart.subscription.verifySubscription(token))).toBe('invalid');
  });
});

describe('tokensOptions', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const faults = (given: Given): string[] =>
    tokenOptions.safeParse(given).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ??
    [];

  it.each<[Given, RegExp]>([
    [{ rsaPublicKey: 'x' }, /rsaPublicKey is not a public key/],
    [
      { rsaPublicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string },
      /of type ed25519, not rsa/,
    ],
    [{ ed25519PublicKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }, /is a private key/],
    [{ audience: 'a', audienceRegex: 'a' }, /audienceRegex cannot be combined/],
    [{ issuerRegex: '(' }, /issuerRegex is not a regular expression/],
    [{ hmacPreviousSecretKey: 'x' }, /needs hmacSecretKey/],
    [{ jwks: { endpoint: 'file:///etc/passwd' } }, /jwks.endpoint/],
    [
      { jwks: { endpoint: 'https://id.test/{{realm}}/certs' } },
      /jwks.endpoint has the placeholder {{realm}}, but/,
    ],
  ])('rejects %j', (given, fault) => {
    expect(faults(given)).toEqual([expect.stringMatching(fault)]);
  });
});

describe('TokenVerifier: claims as issuers and servers in Go write and read them', () => {
  it.each([
    [
      `{"sub":"42","exp":"${NOW + 10}","nbf":"${NOW - 10}","iat":"${NOW}"}`,
      { user: '42', expireAt: NOW + 10 },
    ],
    [`{"Sub":"42","EXP":${NOW + 10}}`, { user: '42', expireAt: NOW + 10 }],
    ['{"sub":"41","SUB":"42"}', { user: '42' }],
    ['{"sub":"42","Sub":null}', { user: '42' }],
    ['{"\u017Fub":"42"}', { user: '42' }],
    ['{"Channels":["News"]}', { subs: new Map([['News', expect.anything()]]) }],
    [
      '{"SUBS":{"News":{"Override":{"Presence":{"VALUE":true}}}}}',
      { subs: new Map([['News', expect.objectContaining({ override: { presence: true } })]]) },
    ],
  ])('accepts %s', (claims, expected) => {
    expect(connection(claims)).toMatchObject({ ok: true, value: expected });
  });

  it.each([
    [`{"sub":"42","EXP":${NOW - 10}}`, 'expired'],
    [`{"sub":"42","exp":"${NOW - 10}"}`, 'expired'],
    [`{"sub":"42","nbf":"${NOW + 10}"}`, 'expired'],
    ['{"sub":"42","exp":"soon"}', 'invalid'],
    ['{"sub":"42","exp":""}', 'invalid'],
    ['{"sub":"42","exp":"0x10"}', 'invalid'],
    [`{"sub":"42","expire_at":"${NOW + 10}"}`, 'invalid'],
    ['{"sub":"42","Channel":"news"}', 'invalid'],
  ])('refuses %s', async (claims, reason) => {
    expect(await reasonOf(connection(claims))).toBe(reason);
  });

  it('reads a configured user claim by its exact name', () => {
    const given: Given = { hmacSecretKey: SECRET, userIdClaim: 'userId' };
    expect(connection({ userId: '42', userid: '43' }, given)).toMatchObject({ value: { user: '42' } });
  });
});
