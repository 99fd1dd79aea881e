import { Cluster, type Redis } from 'ioredis';
import type { BrokerStatus } from '../metrics/index.js';
import {
  firstAttempt,
  hostAndPort,
  reconnectDelay,
  singleClient,
  type RedisClient,
  type RedisNode,
  type RedisOverrides,
} from './redis.connection.js';
import { keepAlive } from './redis.keep-alive.js';
import type { RedisDriverOptions } from './redis.options.js';

/**
 * Opens a connection to one node. If `client` is connected to a Cluster, that is the master of the slot, also after
 * the slot has moved; while the slot has no master, it is any node, a different one with every attempt. Otherwise it
 * is the server of the options.
 */
export async function openRedisNode(
  options: RedisDriverOptions,
  status: BrokerStatus,
  overrides: RedisOverrides,
  client: RedisClient,
  slot: number,
): Promise<Redis> {
  const node =
    client instanceof Cluster ? memberOf(client, options, overrides, slot) : singleClient(options, overrides);
  keepAlive(node, options.keepAliveIntervalMs);
  await firstAttempt(node, status);
  return node;
}

function memberOf(
  cluster: Cluster,
  options: RedisDriverOptions,
  overrides: RedisOverrides,
  slot: number,
): Redis {
  const anyNode = roundRobin(options, cluster);
  const nodeFor = (attempt: number): RedisNode => masterOf(cluster, slot) ?? anyNode(attempt);
  const delay = reconnectDelay(options);
  const node = singleClient(options, {
    ...overrides,
    ...nodeFor(0),
    retryStrategy: (attempt: number) => {
      cluster.refreshSlotsCache(() => {}); // for the attempt after this one
      Object.assign(node.options, nodeFor(attempt));
      return delay(attempt);
    },
  });
  reconnectWhenMoved(cluster, node, slot);
  return node;
}

/** Reconnects if the node reports that the slot has moved, or if the Cluster says so. */
function reconnectWhenMoved(cluster: Cluster, node: Redis, slot: number): void {
  node.on('moved', () => {
    const { stream } = node;
    cluster.refreshSlotsCache(() => {
      if (node.stream === stream) node.disconnect(true);
    });
  });
  cluster.setMaxListeners(0); // one listener per slot
  cluster.on('refresh', () => {
    const { status, options } = node;
    const master = masterOf(cluster, slot);
    const isConnectedToIt = master?.host === options.host && master?.port === options.port;
    if (status === 'ready' && master !== undefined && !isConnectedToIt) node.disconnect(true);
  });
}

/** Returns undefined while the slot has no master. */
function masterOf(cluster: Cluster, slot: number): RedisNode | undefined {
  const [address] = cluster.slots[slot] ?? [];
  if (address === undefined) return undefined;
  const end = address.lastIndexOf(':');
  return { host: address.slice(0, end), port: Number(address.slice(end + 1)) };
}

/**
 * Returns the node for an attempt. It starts at a random node, so that processes spread over the nodes. The nodes
 * that the Cluster knows come before those of the options.
 */
function roundRobin({ clusterNodes }: RedisDriverOptions, cluster: Cluster) {
  const offset = Math.floor(Math.random() * 1_000);
  return (attempt: number): RedisNode => {
    const known = cluster.nodes().map(({ options }) => options);
    const configured = clusterNodes.map((node) => hostAndPort(new URL(`redis://${node}`)));
    const nodes = [...known, ...configured];
    const { host, port } = nodes[(offset + attempt) % nodes.length]!;
    return { host: host!, port: port! };
  };
}
