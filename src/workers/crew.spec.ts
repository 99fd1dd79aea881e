import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Link } from '../ipc/index.js';
import { Crew } from './crew.js';

/** Runs on without its link, as a process does that is stopped when it is cut off. */
const clingsToLife = `
import { closeSync } from 'node:fs';
setInterval(() => {}, 1_000);
process.send('ready', () => closeSync(4));
`;

describe('a crew', () => {
  let directory: string;
  let program: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'crew-'));
    program = join(directory, 'worker.mjs');
    await writeFile(program, clingsToLife);
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('replaces a worker that has lost its link and does not end', async () => {
    const links: Link[] = [];
    const replaced = Promise.withResolvers<void>();
    const crew = new Crew({
      size: 1,
      program,
      args: [],
      stopTimeoutMs: 1_000,
      onLink: (link) => {
        if (links.push(link) === 2) replaced.resolve();
      },
      onGivenUp: replaced.reject,
    });
    try {
      await crew.start();
      await replaced.promise;
      expect(links[0]?.ended).toBe(true);
    } finally {
      await crew.stop();
    }
  });
});
