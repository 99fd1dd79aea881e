import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunningBroker, StartOptions } from './broker.ts';
import type { Certificate } from './certificate.ts';
import { LocalBroker } from './local-broker.ts';
import { freePort } from './ports.ts';

export interface RedisOptions extends StartOptions {
  /** Keeps data over a stop or kill (AOF, synced on every write). Default: false, so that a restart is empty. */
  readonly appendOnly?: boolean;
  readonly password?: string;
  /** Accepts only TLS connections. */
  readonly certificate?: Certificate;
  /** Additional arguments for `redis-server`, such as `['--maxmemory', '50mb']`. */
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

/** Arguments of a server that uses only TLS, for connections to other servers too. */
export function tlsArguments(port: number, { authority, certificate, key }: Certificate): string[] {
  const files = ['--tls-ca-cert-file', authority, '--tls-cert-file', certificate, '--tls-key-file', key];
  return ['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
}

/** Runs one command. Resolves with the reply as `redis-cli` prints it, with one line per list item. */
export async function redisCli(url: string, ...command: string[]): Promise<string> {
  const { hostname, port, password } = new URL(url);
  const credentials = password === '' ? {} : { REDISCLI_AUTH: decodeURIComponent(password) };
  const env = { ...process.env, ...credentials };
  const { stdout } = await promisify(execFile)('redis-cli', ['-e', '-h', hostname, '-p', port, ...command], {
    env,
  });
  return stdout.trim();
}

/** Returns the arguments of `redis-cli` for a server with TLS. */
export function cliTls(certificate?: Certificate): string[] {
  return certificate === undefined ? [] : ['--tls', '--cacert', certificate.authority];
}

async function pings(url: string, certificate?: Certificate): Promise<boolean> {
  try {
    return (await redisCli(url, ...cliTls(certificate), 'PING')) === 'PONG';
  } catch {
    return false; // not listening yet, or still loading its data
  }
}
