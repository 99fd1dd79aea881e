import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from '../../scripts/brokers/owned-process.ts';

const bench = resolve(import.meta.dirname, '..');
const binaries = join(bench, 'bin');

/** Signs the connection tokens (HS256). */
export const TOKEN_SECRET = 'secret-of-the-bench';
export const API_KEY = 'api-key-of-the-bench';
/** Channels without a namespace have no history. Those of this namespace have a history with recovery. */
const KEPT = { name: 'kept', size: 100, ttlSeconds: 300 } as const;

export interface Deployment {
  /** Without it, the memory engine is used. */
  readonly redisUrl: string | undefined;
  readonly processes: number;
}

/** A server under test: how to run one process of it. */
export interface Program {
  readonly name: string;
  readonly version: string;
  /** @param directory an empty directory for its files */
  command(port: number, deployment: Deployment, directory: string): Command;
}

export function buildLoadClient(): string {
  return build('load');
}

/** @param profileDirectory where each process writes a CPU profile when it ends */
export function carillon(profileDirectory?: string): Program {
  const main = resolve(process.env.CARILLON_DIST ?? resolve(bench, '../dist'), 'main.js');
  const version = output(process.execPath, [main, '--version']);
  const profile =
    profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profileDirectory)}`];
  return {
    name: 'Carillon',
    version: [version, commit()].filter(Boolean).join(', '),
    command(port, { redisUrl }, directory) {
      const file = configure(directory, port, redisUrl);
      return clean(process.execPath, [...startFlags(), ...profile, main, '--config', file], {
        NODE_ENV: 'production',
      });
    },
  };
}

/** Returns the Centrifugo on the path, otherwise a small program with its engine, which is built here. */
export function centrifugo(): Program {
  const version = output('centrifugo', ['version']);
  return version === '' ? library() : binary(version);
}

function binary(version: string): Program {
  return {
    name: 'Centrifugo',
    version,
    command: (port, { redisUrl }, directory) =>
      clean('centrifugo', ['--config', configure(directory, port, redisUrl)]),
  };
}

function library(): Program {
  const file = build('peer');
  const version = output('go', ['list', '-m', '-f', '{{.Version}}', 'github.com/centrifugal/centrifuge'], {
    cwd: join(bench, 'peer'),
  });
  return {
    name: 'Centrifuge library',
    version,
    command: (port, { redisUrl }) =>
      clean(file, [
        `-listen=127.0.0.1:${port}`,
        `-token-secret=${TOKEN_SECRET}`,
        `-api-key=${API_KEY}`,
        `-history-size=${KEPT.size}`,
        `-history-ttl=${KEPT.ttlSeconds}s`,
        `-redis=${redisUrl ?? ''}`,
      ]),
  };
}

/** A Centrifugo configuration, which both servers use. */
function configure(directory: string, port: number, redisUrl: string | undefined): string {
  const file = join(directory, 'config.json');
  const configuration = {
    http_server: { address: '127.0.0.1', port },
    log: { level: 'error' },
    engine: redisUrl === undefined ? { type: 'memory' } : { type: 'redis', redis: { address: redisUrl } },
    client: { token: { hmac_secret_key: TOKEN_SECRET } },
    http_api: { key: API_KEY },
    health: { enabled: true },
    channel: {
      without_namespace: { allow_subscribe_for_client: true },
      namespaces: [
        {
          name: KEPT.name,
          allow_subscribe_for_client: true,
          history_size: KEPT.size,
          history_ttl: `${KEPT.ttlSeconds}s`,
          force_recovery: true,
        },
      ],
    },
  };
  writeFileSync(file, JSON.stringify(configuration));
  return file;
}

/** The Node options of `npm start`. */
function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(resolve(bench, '../package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start.split(' ').filter((word) => word.startsWith('-'));
}

/** Runs a command without this process's environment, because a `REDIS_URL` in it would change the measurement. */
function clean(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Command {
  const { PATH = '', HOME = '' } = process.env;
  const variables = Object.entries({ PATH, HOME, ...environment }).map(([name, value]) => `${name}=${value}`);
  return { file: 'env', args: ['-i', ...variables, file, ...args] };
}

function build(program: 'load' | 'peer'): string {
  const file = join(binaries, program);
  execFileSync('go', ['build', '-o', file, '.'], { cwd: join(bench, program), stdio: 'inherit' });
  return file;
}

export function commit(): string {
  return output('git', ['describe', '--always', '--dirty', '--exclude', '*'], { cwd: bench });
}

/** Returns the output of a command, or an empty text if there is no such command. */
export function output(
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): string {
  try {
    return execFileSync(file, args, {
      ...options,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
