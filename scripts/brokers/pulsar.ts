import { createHmac, randomBytes } from 'node:crypto';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningBroker, StartOptions } from './broker.ts';
import { download } from './cache.ts';
import type { Certificate } from './certificate.ts';
import { LocalBroker } from './local-broker.ts';
import { freePort } from './ports.ts';

export interface PulsarOptions extends StartOptions {
  /** Port of the admin and WebSocket APIs. Default: a free port. */
  readonly webPort?: number;
  /** Lines of `standalone.conf` to add or replace. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Requires tokens (HS256). `admin` is the superuser. `authorization` limits the other roles. */
  readonly tokens?: boolean;
  /** With `tokens`: roles other than `admin` need permissions, which are granted with the admin API. */
  readonly authorization?: boolean;
  /** Serves the admin and WebSocket APIs over TLS too: see `tlsUrl`. */
  readonly certificate?: Certificate;
}

export interface RunningPulsar extends RunningBroker {
  readonly webUrl: string;
  /** `https://`, with a `certificate` only. */
  readonly tlsUrl?: string;
  /** Creates a token for a role. `expiresAt` is in ms since the epoch. By default, the token does not expire. */
  tokenFor(role: string, expiresAt?: number): string;
}

// Java internals that Netty and BookKeeper use. Java 17 refuses access without these options.
const opened = [
  'java.base/java.io',
  'java.base/java.nio',
  'java.base/java.util.zip',
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.platform',
  'java.management/sun.management',
  'jdk.management/com.sun.management.internal',
];
const jvm = [
  '-Xms128m',
  '-Xmx256m',
  '-XX:MaxDirectMemorySize=256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.net.preferIPv4Stack=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dlog4j2.is.webapp=false',
  ...opened.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
];

/** Runs Pulsar standalone (broker, bookie, metadata and WebSocket service in one JVM) on loopback. */
export async function startPulsar(options: PulsarOptions = {}): Promise<RunningPulsar> {
  const unpacked = await download('pulsar');
  const [name] = (await readdir(unpacked)).filter((entry) => entry.startsWith('apache-pulsar'));
  if (name === undefined) throw new Error(`no Pulsar distribution in ${unpacked}`);
  const home = join(unpacked, name);
  const port = options.port ?? (await freePort());
  const webPort = options.webPort ?? (await freePort());
  const bookiePort = await freePort();
  const tlsPort = options.certificate && (await freePort());
  const webUrl = `http://127.0.0.1:${webPort}`;
  const key = randomBytes(32);
  const tokenFor = (role: string, expiresAt?: number) => sign(key, role, expiresAt);
  const admin = options.tokens ? { token: tokenFor('admin') } : {};

  const broker = await LocalBroker.start({
    address: { kind: 'pulsar', url: `pulsar://127.0.0.1:${port}`, webUrl, ...admin },
    port,
    keepData: options.keepData ?? false,
    command: async (directory) => {
      const conf = join(directory, 'standalone.conf');
      const shipped = await readFile(join(home, 'conf/standalone.conf'), 'utf8');
      const security = options.tokens ? tokenProperties(key, tokenFor('admin'), options.authorization) : {};
      const tls = options.certificate && tlsProperties(tlsPort!, options.certificate);
      // If a key occurs twice, the last line counts.
      await writeFile(
        conf,
        shipped + lines({ ...loopback(port, webPort), ...security, ...tls, ...options.properties }),
      );
      await copyFile(join(import.meta.dirname, 'pulsar.log4j2.xml'), join(directory, 'log4j2.xml'));
      const args = [
        ['--config', conf, '--no-functions-worker', '--no-stream-storage'],
        ['--metadata-dir', join(directory, 'metadata'), '--bookkeeper-dir', join(directory, 'bookkeeper')],
        ['--bookkeeper-port', String(bookiePort)],
      ].flat();
      const log = `-Dlog4j.configurationFile=${join(directory, 'log4j2.xml')}`;
      const main = 'org.apache.pulsar.PulsarStandaloneStarter';
      return { file: 'java', args: [...jvm, log, '-cp', join(home, 'lib/*'), main, ...args] };
    },
    isReady: async () =>
      (await get(`${webUrl}/admin/v2/brokers/health`, admin.token)) === 'ok' &&
      (await get(`${webUrl}/admin/v2/namespaces/public`, admin.token)).includes('public/default'),
  });
  const more = tlsPort === undefined ? {} : { tlsUrl: `https://127.0.0.1:${tlsPort}` };
  return Object.assign(broker, { webUrl, tokenFor, ...more });
}

function loopback(port: number, webPort: number): Record<string, string> {
  return {
    bindAddress: '127.0.0.1',
    advertisedAddress: '127.0.0.1',
    brokerServicePort: String(port),
    webServicePort: String(webPort),
    // Delays are up to a tick early, as by default, so that the tests of "never early" test Carillon. The tick is a tenth of
    // the default, because otherwise every test of a delay would take a second longer.
    delayedDeliveryTickTimeMillis: '100',
    // Small, for one mostly idle broker on a developer's machine.
    numIOThreads: '2',
    numOrderedExecutorThreads: '1',
    numHttpServerThreads: '8',
    webSocketNumIoThreads: '1',
    webSocketConnectionsPerBroker: '1',
    managedLedgerCacheSizeMB: '16',
    dbStorage_writeCacheMaxSizeMb: '16',
    dbStorage_readAheadCacheMaxSizeMb: '16',
    dbStorage_rocksDB_blockCacheSize: '8388608',
    journalSyncData: 'false',
    journalPreAllocSizeMB: '4',
  };
}

function tlsProperties(
  webPort: number,
  { authority, certificate, key }: Certificate,
): Record<string, string> {
  return {
    webServicePortTls: String(webPort),
    // Java's implementation, because the default one needs a native library.
    webServiceTlsProvider: '',
    tlsCertificateFilePath: certificate,
    tlsKeyFilePath: key,
    tlsTrustCertsFilePath: authority,
  };
}

function tokenProperties(key: Buffer, adminToken: string, authorization = false): Record<string, string> {
  return {
    authenticationEnabled: 'true',
    authenticationProviders: 'org.apache.pulsar.broker.authentication.AuthenticationProviderToken',
    tokenSecretKey: `data:;base64,${key.toString('base64')}`,
    authorizationEnabled: String(authorization),
    superUserRoles: 'admin',
    brokerClientAuthenticationPlugin: 'org.apache.pulsar.client.impl.auth.AuthenticationToken',
    brokerClientAuthenticationParameters: `token:${adminToken}`,
  };
}

function sign(key: Buffer, role: string, expiresAt?: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = expiresAt === undefined ? { sub: role } : { sub: role, exp: Math.floor(expiresAt / 1000) };
  const signed = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function lines(properties: Record<string, string>): string {
  return Object.entries(properties)
    .map(([key, value]) => `\n${key}=${value}`)
    .join('');
}

async function get(url: string, token: string | undefined): Promise<string> {
  try {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
    return await response.text();
  } catch {
    return ''; // not listening yet
  }
}
