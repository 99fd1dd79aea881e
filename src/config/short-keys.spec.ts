import { describe, expect, it } from '@jest/globals';
import { configSchema } from './schema.js';

const faults = (host: string, apiKeys: readonly string[]): string[] =>
  configSchema
    .safeParse({ server: { host }, trigger: { apiKeys } })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('an API key with fewer than 16 characters', () => {
  it('is a fault on an address that others can reach, and the message says what is accepted', () => {
    const [fault, ...others] = faults('0.0.0.0', ['x'.repeat(16), 'x'.repeat(15)]);
    expect(fault).toMatch(/^trigger\.apiKeys: .*16 characters.*openssl rand -hex 32.*loopback/);
    expect(others).toEqual([]);
    expect(faults('0.0.0.0', ['x'.repeat(16)])).toEqual([]);
  });

  it('is accepted on a loopback address', () => {
    expect(faults('127.0.0.1', ['x'])).toEqual([]);
  });
});
