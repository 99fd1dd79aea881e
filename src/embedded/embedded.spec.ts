import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Carillon } from './carillon.js';
import { completeOptions } from './embedded.options.js';

const VARIABLE = 'CARILLON_TRIGGER_ANSWER_TIMEOUT_MS';
const REDIS = { url: 'redis://127.0.0.1:1' };

describe('the options of an embedding application', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('ignore the environment, unless it is asked for, and win over it', () => {
    jest.replaceProperty(process, 'env', { [VARIABLE]: '1234' });
    const timeout = (options: Parameters<typeof completeOptions>[0]) =>
      completeOptions(options).config.trigger.answerTimeoutMs;
    expect(timeout({})).not.toBe(1234);
    expect(timeout({ fromEnvironment: true })).toBe(1234);
    expect(timeout({ fromEnvironment: true, trigger: { answerTimeoutMs: 2345 } })).toBe(2345);
  });
});

describe('Carillon', () => {
  it('says which role its operations need, where it does not run', async () => {
    const loaded = completeOptions({
      server: { roles: ['gateway'] },
      delivery: { fanout: { kind: 'redis', ...REDIS } },
    });
    await expect(new Carillon(loaded).publish('news', 1)).rejects.toMatchObject({
      code: 'role_not_here',
      message: expect.stringContaining('Carillon.publish needs the role trigger'),
    });
  });
});
