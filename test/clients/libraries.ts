import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Launch } from './client-program.ts';
import { cache, obstacleOf, prepared } from './prepared.ts';

/** A published Centrifugo client library, and a program that runs it. */
export interface ClientLibrary {
  readonly name: string;
  /** Returns why the program cannot run on this machine, or undefined if it can. */
  obstacle(): string | undefined;
  /** Downloads and builds the program if that has not been done yet. */
  prepare(): Promise<Launch>;
}

const run = promisify(execFile);
const here = import.meta.dirname;

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
      // Otherwise the modules are read-only and cannot be removed with the directory.
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

function textOf(directory: string): (file: string) => string {
  return (file) => readFileSync(join(directory, file), 'utf8');
}
