import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { exportJWK, SignJWT } from 'jose';
import { TokenVerifier } from './token-verifier.js';
import { tokenOptions } from './tokens.options.js';

/** The issuers use the same key id. */
const KID = 'key-1';

describe('key sets of several issuers', () => {
  let server: Server;
  let now = 0;
  const fetched: string[] = [];
  const keys = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>();

  const privateKeyOf = (realm: string): KeyObject => {
    const known = keys.get(realm) ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
    keys.set(realm, known);
    return known.privateKey;
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = createServer((request, response) => {
      fetched.push(request.url!);
      const key = keys.get(request.url!.split('/')[1]!)?.publicKey;
      if (key === undefined) return response.writeHead(404).end();
      return void exportJWK(key).then((jwk) =>
        response.end(JSON.stringify({ keys: [{ kid: KID, ...jwk }] })),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  beforeEach(() => {
    fetched.length = 0;
    keys.clear();
    now = Date.now();
  });

  const verifier = (jwks: object = {}, others: object = {}): TokenVerifier => {
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}/{{realm}}/keys`;
    const issuerRegex = '^https://id.test/(?P<realm>[^/]*)$';
    const options = tokenOptions.parse({ issuerRegex, jwks: { endpoint, ...jwks }, ...others });
    return new TokenVerifier(options, () => now);
  };

  const outcomeOf = async (tokens: TokenVerifier, realm: string, signedBy = realm, claims = {}) => {
    const token = await new SignJWT({ sub: '42', iss: `https://id.test/${realm}`, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: KID })
      .sign(privateKeyOf(signedBy));
    const outcome = await tokens.verifyConnection(token);
    return outcome.ok ? outcome.value.user : `${outcome.reason}: ${outcome.detail}`;
  };

  it('verifies each token with the keys of its issuer', async () => {
    const tokens = verifier();
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    expect(await outcomeOf(tokens, 'two')).toBe('42');
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    expect(fetched).toEqual(['/one/keys', '/two/keys']);
  });

  // CVE-2026-49998 of Centrifugo: there, all issuers shared one cache by key id.
  it('refuses a token that another issuer signed, although the key ids are equal', async () => {
    const tokens = verifier();
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    expect(await outcomeOf(tokens, 'two')).toBe('42');
    expect(await outcomeOf(tokens, 'two', 'one')).toMatch(/^invalid: ERR_JWS_SIGNATURE_VERIFICATION_FAILED/);
  });

  it.each(['..', '', 'a\\b', 'x'.repeat(300), 'y'.repeat(2_000)])(
    'asks nobody for the keys of the issuer %j',
    async (realm) => {
      expect(await outcomeOf(verifier(), realm, 'mine')).toMatch(/no key set/);
      expect(fetched).toEqual([]);
    },
  );

  it('asks nobody if the issuer or audience is of another type, or does not match', async () => {
    const tokens = verifier({}, { audienceRegex: '^(a|b)$' });
    expect(await outcomeOf(tokens, 'one', 'one', { aud: 'c' })).toMatch(/no key set/);
    expect(await outcomeOf(tokens, 'one', 'one', { iss: 7, aud: 'a' })).toMatch(/^invalid: iss must be/);
    expect(await outcomeOf(tokens, 'one', 'one', { iss: 'https://evil.test/', aud: 'a' })).toMatch(
      /no key set/,
    );
    expect(fetched).toEqual([]);
  });

  it('takes a placeholder from the first audience that matches', async () => {
    const tokens = verifier({}, { issuerRegex: undefined, audienceRegex: '^app-(?P<realm>[a-z]+)$' });
    expect(await outcomeOf(tokens, 'one', 'one', { aud: ['other', 'app-one', 'app-two'] })).toBe('42');
    expect(fetched).toEqual(['/one/keys']);
  });

  it('keeps a bounded number of key sets, first those that have keys, and of these the ones used last', async () => {
    const tokens = verifier({ maxKeySets: 2, firstFetchesPerSecond: 1_000 });
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    for (const unknown of ['x', 'y', 'z']) {
      expect(await outcomeOf(tokens, unknown, 'one')).toMatch(/^unavailable/);
    }
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    expect(await outcomeOf(tokens, 'two')).toBe('42');
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    expect(await outcomeOf(tokens, 'three')).toBe('42');
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    expect(fetched).toEqual(['one', 'x', 'y', 'z', 'two', 'three'].map((realm) => `/${realm}/keys`));
    expect(await outcomeOf(tokens, 'two')).toBe('42');
    expect(fetched.at(-1)).toBe('/two/keys');
  });

  it('fetches the keys of unknown issuers at a bounded rate, and those of known ones meanwhile', async () => {
    const tokens = verifier({ firstFetchesPerSecond: 3 });
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    for (let each = 0; each < 10; each++) await outcomeOf(tokens, `unknown-${each}`, 'one');
    expect(fetched).toHaveLength(3);
    expect(await outcomeOf(tokens, 'two')).toMatch(/^unavailable: too many/);
    expect(await outcomeOf(tokens, 'one')).toBe('42');
    now += 1_000;
    expect(await outcomeOf(tokens, 'two')).toBe('42');
  });
});
