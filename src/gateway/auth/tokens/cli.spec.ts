import { describe, expect, it } from '@jest/globals';
import { checkToken, generateToken } from './cli.js';
import { createVerifiers } from './token-verifier.js';
import { tokensOptions } from './tokens.options.js';

const options = tokensOptions.parse({
  connection: { hmacSecretKey: 'secret' },
  subscription: { hmacSecretKey: 'other', userIdClaim: 'uid' },
});

describe('generateToken', () => {
  it('returns a connection token that the server accepts', async () => {
    const token = generateToken(options, { user: '42', ttlSeconds: 60 })!;
    expect(await createVerifiers(options).connection.verifyConnection(token)).toMatchObject({
      ok: true,
      value: { user: '42' },
    });
  });

  it('returns a subscription token, signed with the secret for subscriptions', async () => {
    const token = generateToken(options, { user: '42', channel: 'c' })!;
    expect(await createVerifiers(options).subscription.verifySubscription(token)).toMatchObject({
      ok: true,
      value: { user: '42', channel: 'c', expireAt: undefined },
    });
  });

  it('returns undefined without a secret', () => {
    expect(generateToken(tokensOptions.parse({}), { user: '42' })).toBeUndefined();
  });
});

describe('checkToken', () => {
  it('reports the claims of a valid token', async () => {
    const report = await checkToken(
      options,
      generateToken(options, { user: '42', channel: 'c', ttlSeconds: 60 })!,
    );
    expect(report).toMatchObject({
      kind: 'subscription',
      claims: { uid: '42', channel: 'c' },
      fault: undefined,
    });
  });

  it('reports the claims of an invalid token, and the fault', async () => {
    const report = await checkToken(options, generateToken(options, { user: '42', ttlSeconds: -60 })!);
    expect(report).toMatchObject({
      kind: 'connection',
      claims: { sub: '42' },
      fault: 'expired: exp has passed',
    });
  });

  it('reports that a text is not a token', async () => {
    expect(await checkToken(options, 'abc')).toEqual({
      kind: 'connection',
      claims: undefined,
      fault: 'invalid: not a JWT',
    });
  });
});
