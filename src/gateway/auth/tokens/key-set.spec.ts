import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { exportJWK, SignJWT } from 'jose';
import { TokenVerifier } from './token-verifier.js';
import { tokenOptions } from './tokens.options.js';

interface Signer {
  readonly kid: string;
  readonly alg: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function signer(alg: 'RS256' | 'ES256' | 'EdDSA'): Signer {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return { kid: randomUUID(), alg, ...pair };
}

describe('KeySet', () => {
  let server: Server;
  let fetches = 0;
  let respond: RequestListener;
  let now: number;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = createServer((request, response) => {
      fetches++;
      respond(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  beforeEach(() => {
    fetches = 0;
    now = Date.now();
  });

  const publish = async (...signers: Signer[]): Promise<void> => {
    const keys = await Promise.all(
      signers.map(async ({ kid, publicKey }) => ({ kid, ...(await exportJWK(publicKey)) })),
    );
    respond = (_, response) => response.end(JSON.stringify({ keys }));
  };

  const verifier = (jwks: object = {}): TokenVerifier => {
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}/keys`;
    const options = tokenOptions.parse({ hmacSecretKey: 'secret', jwks: { endpoint, ...jwks } });
    return new TokenVerifier(options, () => now);
  };

  const reasonOf = async (tokens: TokenVerifier, { alg, kid, privateKey }: Signer): Promise<string> => {
    const token = await new SignJWT({ sub: '42' }).setProtectedHeader({ alg, kid }).sign(privateKey);
    const outcome = await tokens.verifyConnection(token);
    return outcome.ok ? outcome.value.user : outcome.reason;
  };

  it.each(['RS256', 'ES256', 'EdDSA'] as const)('verifies %s', async (alg) => {
    const key = signer(alg);
    await publish(signer('RS256'), key);
    expect(await reasonOf(verifier(), key)).toBe('42');
  });

  it('fetches the keys once for all tokens that wait, and keeps them', async () => {
    const key = signer('ES256');
    await publish(key);
    const tokens = verifier();
    await Promise.all([reasonOf(tokens, key), reasonOf(tokens, key), reasonOf(tokens, key)]);
    await reasonOf(tokens, key);
    expect(fetches).toBe(1);
  });

  it('fetches again for an unknown key id, but not before the cool-down has passed', async () => {
    const [first, second] = [signer('ES256'), signer('ES256')];
    await publish(first);
    const tokens = verifier({ cooldownMs: 30_000 });
    expect(await reasonOf(tokens, first)).toBe('42');

    await publish(first, second);
    // Its client may retry.
    expect(await reasonOf(tokens, second)).toBe('unavailable');
    expect(fetches).toBe(1);
    now += 30_000;
    expect(await reasonOf(tokens, second)).toBe('42');
    expect(fetches).toBe(2);
  });

  it('refuses a key id permanently if a fetch did not find it', async () => {
    const [first, forged] = [signer('ES256'), signer('ES256')];
    await publish(first);
    const tokens = verifier();
    expect(await reasonOf(tokens, forged)).toBe('invalid');
    expect(await reasonOf(tokens, forged)).toBe('unavailable');
    now += 30_000;
    expect(await reasonOf(tokens, forged)).toBe('invalid');
    expect(fetches).toBe(2);
  });

  it('lets tokens with a new key retry while the endpoint is down', async () => {
    const [first, second] = [signer('ES256'), signer('ES256')];
    await publish(first);
    const tokens = verifier();
    expect(await reasonOf(tokens, first)).toBe('42');

    respond = (_, response) => response.writeHead(500).end();
    now += 30_000;
    expect(await reasonOf(tokens, second)).toBe('unavailable');
    await publish(second);
    now += 1_000;
    expect(await reasonOf(tokens, second)).toBe('42');
  });

  it('stops using keys that the issuer has withdrawn', async () => {
    const [first, second] = [signer('ES256'), signer('ES256')];
    await publish(first);
    const tokens = verifier();
    expect(await reasonOf(tokens, first)).toBe('42');

    await publish(second);
    now += 600_000;
    expect(await reasonOf(tokens, second)).toBe('42');
    expect(await reasonOf(tokens, first)).toBe('unavailable');
    now += 30_000;
    expect(await reasonOf(tokens, first)).toBe('invalid');
  });

  it('uses old keys during an outage of the endpoint, for a bounded time', async () => {
    const key = signer('ES256');
    await publish(key);
    const tokens = verifier({ cacheMs: 1000, maxStaleMs: 5000 });
    expect(await reasonOf(tokens, key)).toBe('42');

    respond = (_, response) => response.writeHead(500).end();
    now += 5999;
    expect(await reasonOf(tokens, key)).toBe('42');
    now += 1001;
    expect(await reasonOf(tokens, key)).toBe('unavailable');
  });

  it.each<[string, RequestListener]>([
    ['an error', (_, response) => response.writeHead(404).end('{"keys":[]}')],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['no JSON', (_, response) => response.end('keys')],
    ['no key set', (_, response) => response.end('{}')],
    ['more than the limit', (_, response) => response.end(`{"keys":[]}${' '.repeat(2000)}`)],
    ['nothing in time', () => {}],
  ])(
    'reports tokens as unavailable if the endpoint returns %s, and fetches again soon',
    async (_, listener) => {
      const key = signer('ES256');
      respond = listener;
      const tokens = verifier({ timeoutMs: 100, maxBytes: 1000 });
      expect(await reasonOf(tokens, key)).toBe('unavailable');
      expect(await reasonOf(tokens, key)).toBe('unavailable');
      expect(fetches).toBe(1);

      await publish(key);
      now += 1000;
      expect(await reasonOf(tokens, key)).toBe('42');
    },
  );

  it('refuses HMAC, and a key that does not fit the algorithm', async () => {
    const key = signer('RS256');
    await publish(key);
    const tokens = verifier();
    const hmac = await new SignJWT({ sub: '42' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from('secret'.repeat(6)));
    expect(await tokens.verifyConnection(hmac)).toMatchObject({ ok: false, reason: 'invalid' });
    expect(await reasonOf(tokens, { ...signer('ES256'), kid: key.kid })).toBe('invalid');
  });

  it('uses the keys of a set that has a byte-order mark and entries that are not keys', async () => {
    const good = signer('ES256');
    const key = { kid: good.kid, ...(await exportJWK(good.publicKey)) };
    respond = (_, response) =>
      response.end(`\uFEFF${JSON.stringify({ keys: [null, 'x', [], { kty: 'new' }, key] })}`);
    expect(await reasonOf(verifier(), good)).toBe('42');
  });

  it('sends a user and password in the URL as Basic authentication, and does not log them', async () => {
    const good = signer('ES256');
    await publish(good);
    const serve = respond;
    const warned: string[] = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message) => void warned.push(String(message)));
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://me:p%40ss-word@127.0.0.1:${port}/keys`;
    respond = (request, response) => {
      if (request.headers.authorization === `Basic ${Buffer.from('me:p@ss-word').toString('base64')}`)
        serve(request, response);
      else response.writeHead(401).end();
    };
    expect(await reasonOf(verifier({ endpoint }), good)).toBe('42');
    respond = (_, response) => response.writeHead(500).end();
    expect(await reasonOf(verifier({ endpoint }), good)).toBe('unavailable');
    expect(warned).toEqual([expect.stringContaining(`from http://…@127.0.0.1:${port}/keys`)]);
    expect(warned.join()).not.toMatch(/ss-word|me:/);
    jest.restoreAllMocks();
  });
});
