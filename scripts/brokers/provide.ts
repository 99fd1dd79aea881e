import type { BrokerAddress, BrokerKind, RunningBroker } from './broker.ts';
import { isDownloaded, isInstalled } from './cache.ts';
import { composeUp, isDockerAvailable, type Ports } from './compose.ts';
import { startKafka } from './kafka.ts';
import { freePort, requireFree } from './ports.ts';
import { startPulsar } from './pulsar.ts';
import { startRedis } from './redis.ts';

/** A broker that tests can use, whatever its origin. */
export interface ProvidedBroker {
  readonly address: BrokerAddress;
  readonly from: 'environment' | 'docker' | 'local';
  /** Stops the broker if it was started here. Does nothing for a broker from the environment. */
  dispose(): Promise<void>;
}

/** Resolves with the broker from the environment, otherwise a container if Docker is available, otherwise a child process. */
export async function provide(kind: BrokerKind, fixed: Partial<Ports> = {}): Promise<ProvidedBroker> {
  const named = namedBy(process.env, kind);
  if (named !== undefined) return { address: named, from: 'environment', dispose: () => Promise.resolve() };
  const ports = { port: fixed.port ?? (await freePort()), webPort: fixed.webPort ?? (await freePort()) };
  if (await isDockerAvailable()) {
    await requireFree(ports.port);
    const dispose = await composeUp(kind, ports);
    return { address: containerAddress(kind, ports), from: 'docker', dispose };
  }
  const broker = await startLocal(kind, ports);
  const { url, webUrl } = broker;
  const address = { kind, url, ...(webUrl === undefined ? {} : { webUrl }) };
  return { address, from: 'local', dispose: () => broker.dispose() };
}

/** Returns the broker from Carillon's environment variables, if there is one. */
export function namedBy(env: NodeJS.ProcessEnv, kind: BrokerKind): BrokerAddress | undefined {
  const url = env[{ kafka: 'KAFKA_BROKER', pulsar: 'PULSAR_SERVICE_URL', redis: 'REDIS_URL' }[kind]];
  if (url === undefined || url === '') return undefined;
  if (kind !== 'pulsar') return { kind, url };
  const token = env['PULSAR_TOKEN'];
  const webUrl = env['PULSAR_WEB_URL'] ?? webUrlBeside(url);
  return { kind, url, webUrl, ...(token === undefined ? {} : { token }) };
}

/** The native protocol has a different port. The default port is the best guess for the admin API. */
function webUrlBeside(serviceUrl: string): string {
  const { protocol, hostname, host } = new URL(serviceUrl.split(',')[0] ?? serviceUrl);
  if (protocol === 'pulsar:') return `http://${hostname}:8080`;
  if (protocol === 'pulsar+ssl:') return `https://${hostname}:8443`;
  return `${protocol === 'https:' || protocol === 'wss:' ? 'https' : 'http'}://${host}`;
}

/** Returns what is missing to run this broker as a child process, or undefined if nothing is. */
export function missingFor(kind: BrokerKind): string | undefined {
  const programs =
    kind === 'redis' ? ['redis-server', 'redis-cli'] : ['java', ...(isDownloaded(kind) ? [] : ['mvn'])];
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not found on the PATH`;
}

function startLocal(kind: BrokerKind, ports: Ports): Promise<RunningBroker> {
  switch (kind) {
    case 'kafka':
      return startKafka({ port: ports.port });
    case 'pulsar':
      return startPulsar(ports);
    case 'redis':
      return startRedis({ port: ports.port });
    default:
      return kind satisfies never;
  }
}

function containerAddress(kind: BrokerKind, { port, webPort }: Ports): BrokerAddress {
  switch (kind) {
    case 'kafka':
      return { kind, url: `127.0.0.1:${port}` };
    case 'pulsar':
      return { kind, url: `pulsar://127.0.0.1:${port}`, webUrl: `http://127.0.0.1:${webPort}` };
    case 'redis':
      return { kind, url: `redis://127.0.0.1:${port}` };
    default:
      return kind satisfies never;
  }
}
