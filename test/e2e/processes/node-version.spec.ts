import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const project = resolve(import.meta.dirname, '../../..');

describe('a Node that is too old', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'carillon-old-node-'));
    const versions = "{ ...process.versions, node: '20.1.0' }";
    writeFileSync(
      join(directory, 'old.cjs'),
      `Object.defineProperty(process, 'versions', { value: ${versions} });`,
    );
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const build = ['--require=./bin/check-node.cjs', 'scripts/build.ts'];
  it.each([['bin/carillon.js'], ['dist/main.js'], ['dist/worker.js'], build])(
    'is named, with what to do, by node %s %s',
    async (...args) => {
      const started = promisify(execFile)(
        process.execPath,
        [`--require=${join(directory, 'old.cjs')}`, ...args],
        { cwd: project },
      );
      await expect(started).rejects.toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^carillon: Node 24 or later is needed, and .* run `npm start`/),
      });
    },
  );
});
