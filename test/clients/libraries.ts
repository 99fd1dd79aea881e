import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isInstalled } from '../../scripts/brokers/cache.ts';
import type { Launch } from './client-program.ts';

/** A client library of Centrifugo's, as published, and the program on it. */
export interface ClientLibrary {
  readonly name: string;
  /** Why the program cannot be run here; undefined where it can. */
  obstacle(): string | undefined;
  /** Downloads and builds what is not there yet. */
  prepare(): Promise<Launch>;
}

const run = promisify(execFile);
const here = import.meta.dirname;
/** Kept between runs; what lies in it is complete, and named after all that it was made from. */
const cache = join(tmpdir(), 'carillon-clients');

export const centrifugeJs: ClientLibrary = {
  name: 'centrifuge-js',
  obstacle: () => undefined,
  prepare: async () => ({ command: process.execPath, args: [join(here, 'javascript/main.ts')] }),
};

export const centrifugeGo: ClientLibrary = {
  name: 'centrifuge-go',
  obstacle: () => obstacleOf('go'),
  async prepare() {
    const sources = join(here, 'go');
    const environment = {
      GOCACHE: join(cache, 'go-build'),
      GOMODCACHE: join(cache, 'go-modules'),
      // Else the modules could not be removed with the directory.
      GOFLAGS: '-modcacherw',
    };
    const { stdout: version } = await run('go', ['version']);
    const files = ['main.go', 'events.go', 'payloads.go', 'go.mod', 'go.sum'];
    const program = await prepared('go', [version, ...files.map(textOf(sources))], (target) =>
      run('go', ['build', '-o', target, '.'], { cwd: sources, env: { ...process.env, ...environment } }),
    );
    return { command: program, args: [] };
  },
};

export const centrifugePython: ClientLibrary = {
  name: 'centrifuge-python',
  obstacle: () => obstacleOf('python3'),
  async prepare() {
    const sources = join(here, 'python');
    const { stdout: version } = await run('python3', ['--version']);
    const packages = await prepared('python', [version, textOf(sources)('requirements.txt')], (target) =>
      run('python3', [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--target',
        target,
        '-r',
        join(sources, 'requirements.txt'),
      ]),
    );
    return {
      command: 'python3',
      args: [join(sources, 'main.py')],
      env: { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    };
  },
};

function obstacleOf(program: string): string | undefined {
  // A plain test run downloads nothing that nobody asked for.
  const allowed = [process.env['CARILLON_BROKERS'], process.env['CARILLON_REQUIRE_BROKERS']].includes('1');
  if (!allowed) return 'libraries are not downloaded unless CARILLON_BROKERS=1';
  return isInstalled(program) ? undefined : `${program} is not installed`;
}

function textOf(directory: string): (file: string) => string {
  return (file) => readFileSync(join(directory, file), 'utf8');
}

/** The path of what `make` makes, renamed when complete: another process may be at the same work. */
async function prepared(
  name: string,
  ingredients: readonly string[],
  make: (target: string) => Promise<unknown>,
): Promise<string> {
  const digest = createHash('sha256').update(ingredients.join('\0')).digest('hex').slice(0, 16);
  const path = join(cache, `${name}-${digest}`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const partial = `${path}.${randomUUID()}`;
  try {
    await retried(() => make(partial));
    await rename(partial, path).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return path;
}

/** Downloads fail at times. */
async function retried(attempt: () => Promise<unknown>, attempts = 3): Promise<void> {
  for (let made = 1; ; made++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (made === attempts) throw error;
      await delay(made * 2_000);
    }
  }
}
