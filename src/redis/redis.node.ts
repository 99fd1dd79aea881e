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
import type { RedisDriverOptions } from './redis.options.js';

/**
 * Opens a connection to one node: of a Cluster that `client` is connected to, the master of the slot, wherever it moves, and
 * while it has none any node, another one with every attempt; else the server that the options name.
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
  await firstAttempt(node, status);
  return node;
}

function memberOf(
  cluster: Cluster,
  options: RedisDriverOptions,
  overrides: RedisOverrides,
  slot: number,
): Redis {
  const anyNode = eachNodeInTurn(options, cluster);
  const nodeFor = (attempt: number): RedisNode => masterOf(cluster, slot) ?? anyNode(attempt);
  const delay = reconnectDelay(options);
  const node = singleClient(options, {
    ...overrides,
    ...nodeFor(0),
    retryStrategy: (attempt: number) => {
      cluster.refreshSlotsCache(() => {}); // the attempt after this one knows what comes of it
      Object.assign(node.options, nodeFor(attempt));
      return delay(attempt);
    },
  });
  follow(cluster, node, slot);
  return node;
}

/** Leaves a node that does not have the slot any more, whether the node says so or the others. */
function follow(cluster: Cluster, node: Redis, slot: number): void {
  node.on('moved', () => {
    const { stream } = node;
    cluster.refreshSlotsCache(() => {
      if (node.stream === stream) node.disconnect(true);
    });
  });
  cluster.setMaxListeners(0); // one for each slot that is followed
  cluster.on('refresh', () => {
    const { status, options } = node;
    const master = masterOf(cluster, slot);
    const isThere = master?.host === options.host && master?.port === options.port;
    if (status === 'ready' && master !== undefined && !isThere) node.disconnect(true);
  });
}

/** Undefined while the Cluster has none. */
function masterOf(cluster: Cluster, slot: number): RedisNode | undefined {
  const [address] = cluster.slots[slot] ?? [];
  if (address === undefined) return undefined;
  const end = address.lastIndexOf(':');
  return { host: address.slice(0, end), port: Number(address.slice(end + 1)) };
}

/** Begins anywhere, so that processes spread over the nodes. Those known to the Cluster by then come before those in the options. */
function eachNodeInTurn({ clusterNodes }: RedisDriverOptions, cluster: Cluster) {
  const offset = Math.floor(Math.random() * 1_000);
  return (attempt: number): RedisNode => {
    const known = cluster.nodes().map(({ options }) => options);
    const given = clusterNodes.map((node) => hostAndPort(new URL(`redis://${node}`)));
    const nodes = [...known, ...given];
    const { host, port } = nodes[(offset + attempt) % nodes.length]!;
    return { host: host!, port: port! };
  };
}
