import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { GatewayMetrics } from '../gateway.metrics.js';
import type { ConnectAttempt, SubscribeAttempt } from './attempts.js';
import { AuthorizerChain } from './authorizer-chain.js';
import type { Authorizer } from './authorizer.port.js';
import { refused } from './decisions.js';
import { reportRefusals } from './refused-attempts.js';

describe('reportRefusals', () => {
  afterEach(() => void jest.restoreAllMocks());

  const observe = async (authorizer: Authorizer, token: string): Promise<string[]> => {
    const observed: string[] = [];
    jest.spyOn(Logger.prototype, 'debug').mockImplementation((line) => void observed.push(String(line)));
    const metrics = {
      attemptRefused: (step: string, reason: string) => observed.push(`${step} ${reason}`),
    } as unknown as GatewayMetrics;
    const chain = new AuthorizerChain([{ authorizer }], reportRefusals(metrics));
    await chain.connect({ token } as ConnectAttempt);
    await chain.subscribe({ token } as SubscribeAttempt);
    return observed;
  };

  it('distinguishes a missing token from an invalid one', async () => {
    const missing: Authorizer = { connect: () => refused('noCredentials') };
    expect(await observe(missing, '')).toEqual(['connect missing_token', 'connect refused: missing_token']);
    const bad: Authorizer = {
      connect: async () => refused('invalidToken', 'wrong signature'),
      subscribe: () => refused('permissionDenied', 'wrong signature'),
    };
    expect(await observe(bad, 'x')).toEqual([
      'connect invalid_token',
      'connect refused: invalid_token: wrong signature',
      'subscribe invalid_token',
      'subscribe refused: invalid_token: wrong signature',
    ]);
  });

  it('does not report an attempt that is allowed', async () => {
    expect(await observe({ connect: () => ({ outcome: 'allowed' }) }, '')).toEqual([]);
  });
});
