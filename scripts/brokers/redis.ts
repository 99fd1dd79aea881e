import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunningBroker, StartOptions } from './broker.ts';
import type { Certificate } from './certificate.ts';
import { LocalBroker } from './local-broker.ts';
import { freePort } from './ports.ts';

export interface RedisOptions extends StartOptions {
  /** Keep data over a stop or kill (AOF, synced on every write). Off by default: a restart begins empty. */
  readonly appendOnly?: boolean;
  readonly password?: string;
  /** Over TLS only. */
  readonly certificate?: Certificate;
  /** More arguments for `redis-server`, such as `['--maxmemory', '50mb']`. */
  readonly args?: readonly string[];
}

/** Runs the system's `redis-server` on loopback. */
export async function startRedis(options: RedisOptions = {}): Promise<RunningBroker> {
  const port = options.port ?? (await freePort());
  const { password, certificate, appendOnly = false, keepData = false } = options;
  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  const url = `${certificate === undefined ? 'redis' : 'rediss'}://${credentials}127.0.0.1:${port}`;
  return LocalBroker.start({
    address: { kind: 'redis', url },
    port,
    keepData,
    command: (directory) => ({
      file: 'redis-server',
      args: [
        certificate === undefined ? ['--port', String(port)] : tlsArguments(port, certificate),
        '--bind 127.0.0.1 --appendfsync always --save'.split(' '),
        ['', '--dir', directory, '--appendonly', appendOnly ? 'yes' : 'no'],
        password === undefined ? [] : ['--requirepass', password],
        options.args ?? [],
      ].flat(),
    }),
    isReady: () => pings(url, certificate),
  });
}

/** Arguments of a server that speaks TLS only, to other servers as well. */
export function tlsArguments(port: number, { authority, certificate, key }: Certificate): string[] {
  const files = ['--tls-ca-cert-file', authority, '--tls-cert-file', certificate, '--tls-key-file', key];
  return ['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
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

/** What `redis-cli` needs to know of a server that wants TLS. */
export function cliTls(certificate?: Certificate): string[] {
  return certificate === undefined ? [] : ['--tls', '--cacert', certificate.authority];
}

async function pings(url: string, certificate?: Certificate): Promise<boolean> {
  try {
    return (await ask(url, ...cliTls(certificate), 'PING')) === 'PONG';
  } catch {
    return false; // not listening yet, or still loading its data
  }
}
