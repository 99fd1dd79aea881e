import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { obstacleOf, prepared } from './prepared.ts';

/** The result of one case of Autobahn's fuzzing client: the fields of its report that tests use. */
export interface CaseReport {
  /** The number of the case, such as `6.4.1`. */
  readonly id: string;
  /** `OK`, `NON-STRICT` (conforms, but not strictly), `INFORMATIONAL`, `UNIMPLEMENTED` or `FAILED`. */
  readonly behavior: string;
  /** The same for the close handshake; also `UNCLEAN`, `WRONG CODE` and `FAILED BY CLIENT`. */
  readonly behaviorClose: string;
  readonly description: string;
  readonly expectation: string;
  readonly result: string;
  readonly resultClose: string;
  readonly remoteCloseCode: number | null;
}

const run = promisify(execFile);
/** The suite was never ported to Python 3, and virtualenv supports Python 2 only before 20.22. */
const packages = { suite: 'autobahntestsuite==25.10.1', virtualenv: 'virtualenv==20.15.1' };
const agent = 'carillon';
const installationMs = 180_000;
/** A run that takes longer counts as hung. */
const runMs = 120_000;

/** Resolves with why the suite cannot run on this machine, or undefined if it can. Downloads the suite if needed. */
export async function obstacleToAutobahn(): Promise<string | undefined> {
  const obstacle = obstacleOf('python3');
  if (obstacle !== undefined) return obstacle;
  return environment().then(
    () => undefined,
    (error: Error) => error.message,
  );
}

/** Runs the cases that match one of these patterns, such as `9.*`, against an echo server. */
export async function runAutobahn(url: string, cases: readonly string[]): Promise<CaseReport[]> {
  const python = join(await environment(), 'bin/python');
  const directory = mkdtempSync(join(tmpdir(), 'carillon-autobahn-'));
  try {
    const specification = join(directory, 'fuzzingclient.json');
    writeFileSync(specification, JSON.stringify({ outdir: directory, servers: [{ agent, url }], cases }));
    await run(
      python,
      ['-m', 'autobahntestsuite.wstest', '--mode', 'fuzzingclient', '--spec', specification],
      { cwd: directory, timeout: runMs, killSignal: 'SIGKILL' },
    );
    return reportsIn(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function reportsIn(directory: string): CaseReport[] {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(directory, file), 'utf8'));
  const index = read('index.json') as Record<string, Record<string, { readonly reportfile: string }>>;
  return Object.values(index[agent] ?? {}).map(({ reportfile }) => read(reportfile) as CaseReport);
}

/** Resolves with a virtual environment that has the suite. Rejects with what is missing. */
async function environment(): Promise<string> {
  const python = await findPython2();
  if (python === undefined) throw new Error('Python 2.7, on the PATH or from `pyenv install 2.7.18`');
  const signal = AbortSignal.timeout(installationMs);
  const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '--quiet'];
  const virtualenv = ['-m', 'virtualenv', '--quiet', '--no-periodic-update', '--python', python];
  return prepared('autobahn', [python, ...Object.values(packages)], async (target) => {
    const tool = join(target, 'virtualenv');
    await run('python3', [...pip, '--target', tool, packages.virtualenv], { signal });
    await run('python3', [...virtualenv, target], { signal, env: { ...process.env, PYTHONPATH: tool } });
    await run(join(target, 'bin/python'), [...pip, packages.suite], { signal });
  }).catch((cause: unknown) => {
    // The last line of pip's output is the reason.
    const reason = String(cause).trim().split('\n').at(-1);
    throw new Error(`${packages.suite}, which could not be installed (${reason})`, { cause });
  });
}

/** Finds a Python 2.7 that runs: a shim of pyenv may point to no installation. */
async function findPython2(): Promise<string | undefined> {
  const pyenv = process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv');
  const candidates = ['python2.7', ...globSync(join(pyenv, 'versions/2.7.*/bin/python'))];
  for (const candidate of candidates) {
    const found = await run(candidate, ['-c', 'import sys; print(sys.executable)']).catch(() => undefined);
    if (found !== undefined) return found.stdout.trim();
  }
  return undefined;
}
