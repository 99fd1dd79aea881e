import type { OutgoingRecord } from '../../message/index.js';
import { BusClosedError } from '../bus.errors.js';
import type { Bus } from '../bus.port.js';
import { ConnectionPool, type PooledConnection } from './connection-pool.js';
import type { PoolSize } from './pool.options.js';

/**
 * A pool of connections to publish with. Each topic uses one connection, so that its order is kept. A new topic gets its own
 * connection until the pool has `maxConnections`.
 */
export class ProducerPool {
  readonly #byTopic = new Map<string, Promise<PooledConnection>>();
  readonly #topicsOf = new Map<PooledConnection, string[]>();
  #connections!: ConnectionPool;
  #isClosed = false;

  private constructor() {}

  /** Resolves when `minConnections` are open. */
  static async open(size: PoolSize, openConnection: (number: number) => Promise<Bus>): Promise<ProducerPool> {
    const pool = new ProducerPool();
    pool.#connections = await ConnectionPool.open(size, openConnection, (closed) => pool.#forget(closed));
    return pool;
  }

  get connections(): number {
    return this.#connections.connections;
  }

  async publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#isClosed) throw new BusClosedError();
    const connection = await this.#connectionFor(topic);
    connection.active++;
    try {
      await connection.bus.publish(topic, records);
    } finally {
      connection.active--;
      connection.usedAt = performance.now();
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#connections.close();
  }

  #connectionFor(topic: string): Promise<PooledConnection> {
    let connection = this.#byTopic.get(topic);
    if (connection === undefined) {
      connection = this.#assign(topic);
      connection.catch(() => this.#byTopic.delete(topic));
      this.#byTopic.set(topic, connection);
    }
    return connection;
  }

  async #assign(topic: string): Promise<PooledConnection> {
    const connection = await this.#connections.assign();
    this.#topicsOf.set(connection, [...(this.#topicsOf.get(connection) ?? []), topic]);
    return connection;
  }

  #forget(closed: PooledConnection): void {
    for (const topic of this.#topicsOf.get(closed) ?? []) this.#byTopic.delete(topic);
    this.#topicsOf.delete(closed);
  }
}
