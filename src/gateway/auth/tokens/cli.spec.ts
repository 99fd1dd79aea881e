import { describe, expect, it } from '@jest/globals';
import { checkToken, generateToken } from './cli.js';
import { createVerifiers } from './token-verifier.js';
import { tokensOptions } from './tokens.options.js';

const options = tokensOptions.parse({
  connection: { hmacSecretKey: 'secret' },
  subscription: { hmacSecretKey: 'other', userIdClaim: 'uid' },
});

describe('generateToken', () => {
  it('makes a connection token that is good here', async () => {
    const token = generateToken(options, { user: '42', ttlSeconds: 60 })!;
    expect(await createVerifiers(options).connection.verifyConnection(token)).toMatchObject({
      ok: true,
      value: { user: '42' },
    });
  });

  it('makes a subscription token with the keys of its own', async () => {
    const token = generateToken(options, { user: '42', channel: 'c' })!;
    expect(await createVerifiers(options).subscription.verifySubscription(token)).toMatchObject({
      ok: true,
      value: { user: '42', channel: 'c', expireAt: undefined },
    });
  });

  it('gives nothing without a secret', () => {
    expect(generateToken(tokensOptions.parse({}), { user: '42' })).toBeUndefined();
  });
});

describe('checkToken', () => {
  it('tells the claims of a token that is good', async () => {
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

  it('tells the claims of one that is not, and why', async () => {
    const report = await checkToken(options, generateToken(options, { user: '42', ttlSeconds: -60 })!);
    expect(report).toMatchObject({
      kind: 'connection',
      claims: { sub: '42' },
      fault: 'expired: exp has passed',
    });
  });

  it('tells what is no token', async () => {
    expect(await checkToken(options, 'abc')).toEqual({
      kind: 'connection',
      claims: undefined,
      fault: 'invalid: not a JWT',
    });
  });
});
