import { every, Semaphore } from '../../async/index.js';
import { BusClosedError } from '../bus.errors.js';
import type { Bus } from '../bus.port.js';
import type { PoolSize } from './pool.options.js';

export interface PooledConnection {
  /** From 1; unique among the present connections of the pool. */
  readonly number: number;
  readonly bus: Bus;
  /** The number of topics or consumers that it was given to. */
  assigned: number;
  /** The number of calls in progress, or of consumers that run. An active connection is never closed as idle. */
  active: number;
  /** In ms, by `performance.now()`. */
  usedAt: number;
}

/** Connections to one broker, between `minConnections` and `maxConnections`. */
export class ConnectionPool {
  readonly #connections: PooledConnection[] = [];
  readonly #sweeper: NodeJS.Timeout;
  /** Assigns connections one at a time, so that there are never more than `maxConnections`. */
  readonly #assigning = new Semaphore(1);
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly size: PoolSize,
    private readonly openConnection: (number: number) => Promise<Bus>,
    private readonly onClosed: (connection: PooledConnection) => void,
  ) {
    this.#sweeper = every('idle connections of a pool', size.maxIdleMs / 2, () => this.#closeIdle());
  }

  /**
   * Resolves when `minConnections` are open.
   *
   * @param onClosed called with a connection that is about to be closed because it was idle
   */
  static async open(
    size: PoolSize,
    openConnection: (number: number) => Promise<Bus>,
    onClosed: (connection: PooledConnection) => void = () => {},
  ): Promise<ConnectionPool> {
    const pool = new ConnectionPool(size, openConnection, onClosed);
    try {
      for (let count = 0; count < size.minConnections; count++) await pool.#grow();
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  get connections(): number {
    return this.#connections.length;
  }

  /** Resolves to the connection that is assigned least, which is a new one as long as there may be more. */
  async assign(): Promise<PooledConnection> {
    if (!(await this.#assigning.acquire())) throw new BusClosedError();
    try {
      const [least] = this.#connections.toSorted((a, b) => a.assigned - b.assigned);
      const mayGrow = this.#connections.length < this.size.maxConnections;
      const connection = least === undefined || (least.assigned > 0 && mayGrow) ? await this.#grow() : least;
      connection.assigned++;
      connection.usedAt = performance.now();
      return connection;
    } finally {
      this.#assigning.release();
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#assigning.close();
    await this.#assigning.idle();
    await Promise.all(this.#connections.map(({ bus }) => bus.close()));
  }

  async #grow(): Promise<PooledConnection> {
    const numbers = new Set(this.#connections.map(({ number: taken }) => taken));
    let number = 1;
    while (numbers.has(number)) number++;
    const bus = await this.openConnection(number);
    const connection = { number, bus, assigned: 0, active: 0, usedAt: performance.now() };
    this.#connections.push(connection);
    return connection;
  }

  async #closeIdle(): Promise<void> {
    const longAgo = performance.now() - this.size.maxIdleMs;
    const idle = this.#connections.filter(({ active, usedAt }) => active === 0 && usedAt <= longAgo);
    const surplus = idle.slice(0, Math.max(0, this.#connections.length - this.size.minConnections));
    for (const connection of surplus) {
      this.#connections.splice(this.#connections.indexOf(connection), 1);
      this.onClosed(connection);
    }
    await Promise.all(surplus.map(({ bus }) => bus.close()));
  }
}
