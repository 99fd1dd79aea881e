import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunningBroker, StartOptions } from './broker.ts';
import { LocalBroker } from './local-broker.ts';
import { freePort } from './ports.ts';

export interface RedisOptions extends StartOptions {
  /** Keep data over a stop or kill (AOF, synced on every write). Off by default: a restart begins empty. */
  readonly appendOnly?: boolean;
  readonly password?: string;
  /** More arguments for `redis-server`, such as `['--maxmemory', '50mb']`. */
  readonly args?: readonly string[];
}

/** Runs the system's `redis-server` on loopback. */
export async function startRedis(options: RedisOptions = {}): Promise<RunningBroker> {
  const port = options.port ?? (await freePort());
  const { password, appendOnly = false, keepData = false } = options;
  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  const url = `redis://${credentials}127.0.0.1:${port}`;
  return LocalBroker.start({
    address: { kind: 'redis', url },
    port,
    keepData,
    command: (directory) => ({
      file: 'redis-server',
      args: [
        `--port ${port} --bind 127.0.0.1 --appendfsync always --save`.split(' '),
        ['', '--dir', directory, '--appendonly', appendOnly ? 'yes' : 'no'],
        password === undefined ? [] : ['--requirepass', password],
        options.args ?? [],
      ].flat(),
    }),
    isReady: () => pings(url),
  });
}

/** The answer to one command, as `redis-cli` prints it: a list has a line for each of its items. */
export async function ask(url: string, ...command: string[]): Promise<string> {
  const { hostname, port, password } = new URL(url);
  const credentials = password === '' ? {} : { REDISCLI_AUTH: decodeURIComponent(password) };
  const env = { ...process.env, ...credentials };
  const { stdout } = await promisify(execFile)('redis-cli', ['-e', '-h', hostname, '-p', port, ...command], {
    env,
  });
  return stdout.trim();
}

async function pings(url: string): Promise<boolean> {
  try {
    return (await ask(url, 'PING')) === 'PONG';
  } catch {
    return false; // not listening yet, or still loading its data
  }
}
