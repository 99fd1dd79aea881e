import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AdapterUnusableError } from '../../../bus.errors.js';
import { loadNativeClient } from './native-client.js';

// The packages of this test fail as pulsar-client does: with errors that Node itself throws.
describe('loadNativeClient', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'pulsar-client-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const packageOf = (name: string, source: string) => {
    const file = join(directory, `${name}.cjs`);
    writeFileSync(file, source);
    return file;
  };
  const failureOf = (name: string) =>
    loadNativeClient(name).then(
      () => {
        throw new Error('it was loaded');
      },
      (error: AdapterUnusableError) => error,
    );

  it('returns the package', async () => {
    const name = packageOf('whole', 'module.exports = { Client: class {} };');
    expect(await loadNativeClient(name)).toHaveProperty('Client');
  });

  it.each([
    [
      'the package is not installed',
      () => 'pulsar-client-that-is-absent',
      /which is not installed: npm install/,
    ],
    [
      'its native library was not downloaded',
      () => packageOf('half', "require('./lib/binding/pulsar.node');"),
      /was not downloaded .* npm rebuild/,
    ],
    [
      'its native library cannot be loaded on this system',
      () => {
        writeFileSync(join(directory, 'pulsar.node'), 'built for another system');
        return packageOf(
          'foreign',
          `process.dlopen({ exports: {} }, ${JSON.stringify(join(directory, 'pulsar.node'))});`,
        );
      },
      /this system cannot load .* rebuild it here/,
    ],
    [
      'it fails to load for another reason',
      () => packageOf('broken', "throw new Error('no luck');"),
      /failed to load \(no luck\)/,
    ],
  ])('says what to do if %s', async (_, nameOf, remedy) => {
    const error = await failureOf(nameOf());
    expect(error).toBeInstanceOf(AdapterUnusableError);
    expect(error.message).toMatch(remedy);
    expect(error.message).toMatch(/Or use the WebSocket API.*http\(s\):\/\//);
  });
});
