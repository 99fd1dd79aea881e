import { every } from '../async/index.js';
import { Cluster, type Redis } from 'ioredis';

/**
 * Sends PING regularly over every connection of the client. A server with a `timeout` would otherwise close those that
 * are idle, and a peer that vanished would be noticed by the next call only.
 */
export function keepAlive(client: Redis | Cluster, intervalMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  client.on('ready', () => {
    clearInterval(timer);
    timer = every('keep-alive of Redis', intervalMs, () => pingAll(client)).unref();
  });
  client.on('close', () => clearInterval(timer));
}

function pingAll(client: Redis | Cluster): void {
  for (const node of client instanceof Cluster ? client.nodes() : [client]) {
    // If it fails, the client has noticed: the socket is closed, or is ended by its timeout.
    if (node.status === 'ready') node.ping().catch(() => {});
  }
}
