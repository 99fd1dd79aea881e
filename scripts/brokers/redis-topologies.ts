import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RunningBroker } from './broker.ts';
import type { Certificate } from './certificate.ts';
import { LocalBroker } from './local-broker.ts';
import { freePort } from './ports.ts';
import { redisCli, cliTls, startRedis, tlsArguments } from './redis.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export interface RunningRedisCluster extends AsyncDisposable {
  readonly nodes: readonly HostAndPort[];
  /** In the same order as `nodes`. */
  readonly brokers: readonly RunningBroker[];
  dispose(): Promise<void>;
}

/** Starts a Redis Cluster of three masters that share the 16384 slots, by default without replicas. The masters come first. */
export async function startRedisCluster({
  replicas = 0,
  certificate,
}: { readonly replicas?: number; readonly certificate?: Certificate } = {}): Promise<RunningRedisCluster> {
  const tls = cliTls(certificate);
  // After this silence of a node, even if it is only slow, a replica takes over. Without a replica, its slots are not served.
  const nodeTimeoutMs = replicas > 0 ? 2_000 : 10_000;
  const brokers = await allOrNone(
    Array.from({ length: 3 * (1 + replicas) }, () => startClusterNode(nodeTimeoutMs, certificate)),
  );
  const dispose = () => disposeAll(brokers);
  try {
    const nodes = brokers.map(addressOf);
    const members = nodes.map(({ host, port }) => `${host}:${port}`);
    const options = ['--cluster-replicas', String(replicas), '--cluster-yes'];
    await promisify(execFile)('redis-cli', [...tls, '--cluster', 'create', ...members, ...options]);
    // Wait until each node knows that all slots are served, and until each replica has the data of its master.
    await until(async () => {
      const states = await Promise.all(brokers.map(({ url }) => redisCli(url, ...tls, 'CLUSTER', 'INFO')));
      const links = await Promise.all(
        brokers.slice(3).map(({ url }) => redisCli(url, ...tls, 'INFO', 'replication')),
      );
      return (
        states.every((state) => state.includes('cluster_state:ok')) &&
        links.every((link) => link.includes('master_link_status:up'))
      );
    });
    return { nodes, brokers, dispose, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function startClusterNode(nodeTimeoutMs: number, certificate?: Certificate): Promise<RunningBroker> {
  // The default, which is the port plus 10000, may be in use.
  const busPort = await freePort();
  const args = [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    String(busPort),
    '--cluster-node-timeout',
    String(nodeTimeoutMs),
  ];
  return certificate === undefined
    ? startRedis({ args })
    : startRedis({ certificate, args: [...args, '--tls-cluster', 'yes', '--tls-replication', 'yes'] });
}

export interface RunningRedisSentinel extends AsyncDisposable {
  readonly name: string;
  readonly sentinels: readonly HostAndPort[];
  /** The first one is the initial master. If it is killed, the sentinel promotes the other within seconds. */
  readonly brokers: readonly RunningBroker[];
  /** Resolves with the address of the current master, according to the sentinel. */
  master(): Promise<HostAndPort>;
  dispose(): Promise<void>;
}

/** Starts a master, its replica and one sentinel with a quorum of one. */
export async function startRedisSentinel({
  name = 'carillon',
  certificate,
}: { readonly name?: string; readonly certificate?: Certificate } = {}): Promise<RunningRedisSentinel> {
  const secured = certificate === undefined ? {} : { certificate };
  const replication = certificate === undefined ? [] : ['--tls-replication', 'yes'];
  const brokers: RunningBroker[] = [];
  const dispose = () => disposeAll(brokers);
  try {
    const first = await startRedis({ ...secured, args: replication });
    brokers.push(first);
    const { host, port } = addressOf(first);
    const replica = await startRedis({
      ...secured,
      args: [...replication, '--replicaof', host, String(port)],
    });
    brokers.push(replica);
    const sentinel = await startSentinel(name, { host, port }, certificate);
    const data = [...brokers];
    brokers.push(sentinel);
    await until(async () =>
      (await redisCli(sentinel.url, ...cliTls(certificate), 'SENTINEL', 'REPLICAS', name)).includes(
        new URL(replica.url).host,
      ),
    );
    return {
      name,
      sentinels: [addressOf(sentinel)],
      brokers: data,
      master: () => masterOf(sentinel.url, name, certificate),
      dispose,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function startSentinel(
  name: string,
  master: HostAndPort,
  certificate?: Certificate,
): Promise<RunningBroker> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${name} ${master.host} ${master.port} 1`,
    `sentinel down-after-milliseconds ${name} 2000`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  return LocalBroker.start({
    address: { kind: 'redis', url },
    port,
    keepData: false,
    command: async (directory) => {
      const file = join(directory, 'sentinel.conf'); // a sentinel rewrites it with what it learns
      await writeFile(file, settings.map((line) => `${line}\n`).join(''));
      const tls =
        certificate === undefined ? [] : [...tlsArguments(port, certificate), '--tls-replication', 'yes'];
      return { file: 'redis-server', args: [file, '--sentinel', ...tls] };
    },
    isReady: async () => {
      try {
        return (await masterOf(url, name, certificate)).port === master.port;
      } catch {
        return false;
      }
    },
  });
}

async function masterOf(sentinelUrl: string, name: string, certificate?: Certificate): Promise<HostAndPort> {
  const reply = await redisCli(
    sentinelUrl,
    ...cliTls(certificate),
    'SENTINEL',
    'GET-MASTER-ADDR-BY-NAME',
    name,
  );
  const [host, port] = reply.split('\n');
  if (host === undefined || port === undefined) throw new Error(`the sentinel knows no master ${name}`);
  return { host, port: Number(port) };
}

function addressOf(broker: RunningBroker): HostAndPort {
  const { hostname, port } = new URL(broker.url);
  return { host: hostname, port: Number(port) };
}

async function allOrNone(starting: readonly Promise<RunningBroker>[]): Promise<RunningBroker[]> {
  const outcomes = await Promise.allSettled(starting);
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure === undefined) return started;
  await disposeAll(started);
  throw failure.reason;
}

async function disposeAll(brokers: readonly RunningBroker[]): Promise<void> {
  await Promise.all(brokers.map((broker) => broker.dispose()));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the brokers did not find each other within 120 s');
    await delay(50);
  }
}
