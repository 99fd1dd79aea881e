/**
 * Compiles `src` into `dist`, which servers may be running from: `npm run build`, and before every `npm start`.
 *
 * Nothing is done if `dist` is up to date. Otherwise the program is compiled into a directory of its own and then moved over
 * file by file. So no file that a running server may still load is ever missing, and several builds may run at once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.built-from');
const swc = createRequire(import.meta.url).resolve('@swc/cli/bin/swc.js');

const digest = digestOf(sourceFiles());
if (stampOf(stamp) !== digest) build();

function build(): void {
  const fresh = mkdtempSync(join(root, '.build-'));
  try {
    compile(fresh);
    const files = filesIn(fresh);
    // Removed first: a build that is interrupted from here on must not count as complete.
    rmSync(stamp, { force: true });
    for (const file of files) {
      mkdirSync(dirname(join(dist, file)), { recursive: true });
      renameSync(join(fresh, file), join(dist, file));
    }
    const wanted = new Set(files);
    for (const file of filesIn(dist)) if (!wanted.has(file)) rmSync(join(dist, file), { force: true });
    writeFileSync(stamp, digest);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function compile(directory: string): void {
  const args = [
    'src',
    '--out-dir',
    directory,
    '--strip-leading-paths',
    '--ignore',
    '**/*.spec.ts',
    '--quiet',
  ];
  const { status, error } = spawnSync(process.execPath, [swc, ...args], { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  process.stderr.write(`carillon: the program could not be compiled${error ? `: ${error.message}` : ''}\n`);
  process.exit(1);
}

function sourceFiles(): string[] {
  const files = globSync('src/**/*.ts', { cwd: root, exclude: (path) => path.endsWith('.spec.ts') });
  return [...files.toSorted(byName), '.swcrc', 'tsconfig.json', 'package.json', 'package-lock.json'];
}

function byName(one: string, other: string): number {
  return one < other ? -1 : 1;
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

function stampOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function filesIn(directory: string): string[] {
  return globSync('**/*', { cwd: directory }).filter((file) => statSync(join(directory, file)).isFile());
}
