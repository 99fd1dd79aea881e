import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Link } from '../ipc/index.js';
import { WorkerPool } from './worker-pool.js';

/** Closes its link and continues to run, like a process that was stopped when its link was closed. */
const runsWithoutLink = `
import { closeSync } from 'node:fs';
setInterval(() => {}, 1_000);
process.send('ready', () => closeSync(4));
`;

describe('WorkerPool', () => {
  let directory: string;
  let program: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'worker-pool-'));
    program = join(directory, 'worker.mjs');
    await writeFile(program, runsWithoutLink);
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('replaces a worker that has lost its link and does not end', async () => {
    const links: Link[] = [];
    const replaced = Promise.withResolvers<void>();
    const pool = new WorkerPool({
      size: 1,
      program,
      args: [],
      stopTimeoutMs: 1_000,
      onLink: (link) => {
        if (links.push(link) === 2) replaced.resolve();
      },
      onFailed: replaced.reject,
    });
    try {
      await pool.start();
      await replaced.promise;
      expect(links[0]?.ended).toBe(true);
    } finally {
      await pool.stop();
    }
  });
});
