import { LeaseEndedError } from '../../delivery.errors.js';
import type { RegisteredConnection, Registry, RegistryQuery } from '../../registry/registry.port.js';

interface Lease {
  until: number;
  /** Others are taking over the connections of the node. */
  taken: boolean;
  readonly ids: Set<string>;
}

interface Entry {
  readonly connection: RegisteredConnection;
  /** The node that the entry is under: the one that holds the connection, or that cleans up. */
  owner: string;
  claimed: boolean;
}

/** The registered connections of a single process, and of its workers. They are lost when the process ends. */
export class MemoryRegistry implements Registry {
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Map<string, Lease>();

  /** @param now a monotonic clock in ms */
  constructor(private readonly now: () => number = () => performance.now()) {}

  async renew(node: string, leaseMs: number): Promise<boolean> {
    const until = this.now() + leaseMs;
    const lease = this.#leases.get(node);
    this.#leases.set(node, { until, taken: false, ids: lease?.ids ?? new Set() });
    return lease !== undefined && !lease.taken;
  }

  async add(connection: RegisteredConnection): Promise<void> {
    this.#leaseOf(connection.node).ids.add(connection.id);
    this.#entries.set(connection.id, { connection, owner: connection.node, claimed: false });
  }

  async claim(id: string, node: string): Promise<boolean> {
    this.#leaseOf(node);
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    if (!entry.claimed) this.#give(entry, node);
    return entry.owner === node;
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#leases.get(entry.owner)?.ids.delete(id);
    this.#entries.delete(id);
  }

  async claimOrphans(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    this.#leaseOf(node);
    const claimed: RegisteredConnection[] = [];
    for (const [other, lease] of this.#leases) {
      if (other === node || lease.until > this.now()) continue;
      lease.taken = true;
      for (const id of lease.ids) {
        if (claimed.length >= limit) return claimed;
        const entry = this.#entries.get(id)!;
        this.#give(entry, node);
        claimed.push(entry.connection);
      }
      this.#leases.delete(other);
    }
    return claimed;
  }

  async unfinished(node: string, limit: number): Promise<readonly RegisteredConnection[]> {
    const { ids } = this.#leaseOf(node);
    return [...ids]
      .map((id) => this.#entries.get(id)!)
      .filter(({ claimed }) => claimed)
      .slice(0, limit)
      .map(({ connection }) => connection);
  }

  async release(node: string): Promise<void> {
    const lease = this.#leases.get(node);
    if (lease !== undefined) lease.until = Number.NEGATIVE_INFINITY;
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
      .filter((entry) => !entry.claimed && (route === undefined || entry.connection.route === route))
      .map(({ connection }) => connection);
  }

  #leaseOf(node: string): Lease {
    const lease = this.#leases.get(node);
    if (lease === undefined || lease.taken) throw new LeaseEndedError();
    return lease;
  }

  #give(entry: Entry, node: string): void {
    const { id } = entry.connection;
    this.#leases.get(entry.owner)?.ids.delete(id);
    this.#leases.get(node)!.ids.add(id);
    entry.owner = node;
    entry.claimed = true;
  }
}
