import { NodeLeases } from '../../registry/node-leases.js';
import type { RegisteredConnection, Registry, RegistryQuery } from '../../registry/registry.port.js';

interface Entry {
  readonly connection: RegisteredConnection;
  /** The node that the entry is under: the one that holds the connection, or that cleans up. */
  owner: string;
  claimed: boolean;
}

/** The registered connections of a single process, and of its workers. They are lost when the process ends. */
export class MemoryRegistry implements Registry {
  readonly #entries = new Map<string, Entry>();
  readonly #leases: NodeLeases;

  /** @param now a monotonic clock in ms */
  constructor(now?: () => number) {
    this.#leases = new NodeLeases(now);
  }

  async renew(node: string, leaseMs: number): Promise<boolean> {
    return this.#leases.renew(node, leaseMs);
  }

  async add(connection: RegisteredConnection): Promise<void> {
    this.#leases.require(connection.node);
    this.#entries.set(connection.id, { connection, owner: connection.node, claimed: false });
  }

  async claim(id: string, node: string): Promise<boolean> {
    this.#leases.require(node);
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    if (!entry.claimed) Object.assign(entry, { owner: node, claimed: true });
    return entry.owner === node;
  }

  async remove(id: string): Promise<void> {
    this.#entries.delete(id);
  }

  async claimOrphans(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    this.#leases.require(node);
    const orphans = [...this.#entries.values()].filter(
      ({ owner }) => owner !== node && this.#leases.isOver(owner),
    );
    for (const { owner } of orphans) this.#leases.take(owner);
    const claimed = orphans.slice(0, limit);
    for (const entry of claimed) Object.assign(entry, { owner: node, claimed: true });
    return claimed.map(({ connection }) => connection);
  }

  async unfinished(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    this.#leases.require(node);
    return [...this.#entries.values()]
      .filter(({ owner, claimed }) => claimed && owner === node)
      .slice(0, limit)
      .map(({ connection }) => connection);
  }

  async release(node: string): Promise<void> {
    this.#leases.release(node);
  }

  async find(id: string): Promise<RegisteredConnection | undefined> {
    const entry = this.#entries.get(id);
    return entry === undefined || entry.claimed ? undefined : entry.connection;
  }

  async list({ route, limit, after = '' }: RegistryQuery): Promise<readonly RegisteredConnection[]> {
    return this.#open(route)
      .filter(({ id }) => id > after)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  async count(route?: string): Promise<number> {
    return this.#open(route).length;
  }

  async close(): Promise<void> {}

  #open(route: string | undefined): RegisteredConnection[] {
    return [...this.#entries.values()]
      .filter(({ claimed, connection }) => !claimed && (route === undefined || connection.route === route))
      .map(({ connection }) => connection);
  }
}
