import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { obstacleOf, prepared } from '../clients/prepared.ts';

const run = promisify(execFile);
const requirements = join(import.meta.dirname, 'requirements.txt');

/** What a response must fulfil. Requests that the document does not describe must be refused without an error of the server. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
];

/** Returns why Schemathesis cannot run on this machine, or undefined if it can. */
export const schemathesisObstacle = (): string | undefined => obstacleOf('python3');

/** Downloads Schemathesis if that has not been done yet. Returns the directory with its packages. */
export async function prepareSchemathesis(): Promise<string> {
  const { stdout: version } = await run('python3', ['--version']);
  return prepared('schemathesis', [version, readFileSync(requirements, 'utf8')], (target) =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--target', target, '-r', requirements]),
  );
}

export interface FuzzedApi {
  /** Address of the OpenAPI document. */
  readonly document: string;
  readonly apiKey: string;
  readonly seconds: number;
  readonly seed: number;
}

/** Sends generated requests to each operation of the document. Returns the report of the failures; empty if there are none. */
export async function fuzzApi(
  packages: string,
  { document, apiKey, seconds, seed }: FuzzedApi,
): Promise<string> {
  const options = {
    header: `X-API-Key: ${apiKey}`,
    checks: CHECKS.join(','),
    phases: 'examples,coverage,fuzzing',
    'max-examples': 30,
    'max-time': seconds,
    seed,
    warnings: 'off',
    'generation-database': 'none',
  };
  const args = ['-m', 'schemathesis.cli', 'run', document, '--continue-on-failure', '--no-color'];
  for (const [name, value] of Object.entries(options)) args.push(`--${name}`, String(value));
  try {
    // It keeps a cache in its working directory.
    const cwd = mkdtempSync(join(tmpdir(), 'carillon-schemathesis-'));
    await run('python3', args, { cwd, env: { ...process.env, PYTHONPATH: packages }, maxBuffer: 2 ** 26 });
    return '';
  } catch (error) {
    return (error as { stdout?: string }).stdout || String(error);
  }
}
