import { describe, expect, it } from '@jest/globals';
import type { ConnectAttempt, RpcAttempt } from './attempts.js';
import { AuthorizerChain, AuthorizerTimeoutError } from './authorizer-chain.js';
import type { Authorizer } from './authorizer.port.js';
import { abstained, refused, type ConnectDecision } from './decisions.js';

const attempt = { token: '' } as ConnectAttempt;
const allowing = (user: string): Authorizer => ({ connect: () => ({ outcome: 'allowed', user }) });
const chainOf = (...authorizers: Authorizer[]) =>
  new AuthorizerChain(authorizers.map((authorizer) => ({ authorizer })));

describe('AuthorizerChain', () => {
  it('returns the first decision that is not abstained, without a promise if all decide at once', () => {
    const abstaining: Authorizer = { connect: () => abstained };
    expect(chainOf(abstaining, allowing('a'), allowing('b')).connect(attempt)).toEqual({
      outcome: 'allowed',
      user: 'a',
    });
  });

  it('continues after an authorizer that abstains with a promise', async () => {
    const abstaining: Authorizer = { connect: async () => abstained };
    const decision = chainOf(abstaining, abstaining, allowing('a'), allowing('b')).connect(attempt);
    expect(await decision).toEqual({ outcome: 'allowed', user: 'a' });
  });

  it('stops at a refusal', async () => {
    const refusing: Authorizer = { connect: async () => refused('permissionDenied') };
    expect(await chainOf(refusing, allowing('a')).connect(attempt)).toEqual(refused('permissionDenied'));
  });

  it('takes a missing method as an abstention', () => {
    expect(chainOf(allowing('a')).rpc({ method: 'm' } as RpcAttempt)).toEqual(abstained);
    expect(chainOf().connect(attempt)).toEqual(abstained);
  });

  it('calls a method with its own authorizer as this', () => {
    class Named implements Authorizer {
      readonly #user = 'me';
      connect(): ConnectDecision {
        return { outcome: 'allowed', user: this.#user };
      }
    }
    expect(chainOf(new Named()).connect(attempt)).toEqual({ outcome: 'allowed', user: 'me' });
  });

  it('fails, and asks no other, if an authorizer throws, rejects or returns nothing', async () => {
    const failing = (connect: () => unknown) => chainOf({ connect } as Authorizer, allowing('a'));
    const boom = new Error('boom');
    expect(() =>
      failing(() => {
        throw boom;
      }).connect(attempt),
    ).toThrow(boom);
    await expect(failing(() => Promise.reject(boom)).connect(attempt)).rejects.toBe(boom);
    expect(() => failing(() => undefined).connect(attempt)).toThrow(TypeError);
    await expect(failing(async () => undefined).connect(attempt)).rejects.toThrow(TypeError);
  });

  it('fails if an authorizer with a time limit does not decide within it', async () => {
    class Hanging implements Authorizer {
      connect = () => new Promise<never>(() => {});
    }
    const chain = new AuthorizerChain([{ authorizer: new Hanging(), timeoutMs: 1 }]);
    const decision = chain.connect(attempt);
    await expect(decision).rejects.toThrow('Hanging has not decided about connect within 1 ms');
    await expect(decision).rejects.toBeInstanceOf(AuthorizerTimeoutError);
  });
});
