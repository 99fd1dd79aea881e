/** A connection that a backend knows of, and that it has to be told about when it ends. */
export interface RegisteredConnection {
  readonly id: string;
  /** What the connection is for: the name of its route. */
  readonly route: string;
  /** The node that holds the connection. */
  readonly node: string;
  /** Unix time in ms. */
  readonly connectedAt: number;
  /** What its cleanup needs, and what those who ask about it see. */
  readonly details: Buffer;
}

export interface RegistryQuery {
  /** Only the connections of this route. */
  readonly route?: string;
  readonly limit: number;
  /** Only the connections whose ids are greater. */
  readonly after?: string;
}

/**
 * The connections of all processes that need a cleanup, each under the lease of the process that holds it. When a connection ends,
 * exactly one process claims its cleanup; if that process dies, another one does.
 *
 * Promised by every adapter:
 * - `renew` creates or extends the lease of a node. It resolves to whether it extended one that nobody has taken over: then all
 *   connections that the node added are still its own.
 * - `add` stores a connection of a node. It, `claim` and `claimOrphans` reject with `LeaseEndedError` if the node has no lease.
 * - `claim` resolves to true for exactly one node, also if that node calls it again because it got no answer, and to false for all
 *   others or if the connection is not stored. The node then has to clean up and to call `remove`. A claimed connection is no
 *   longer found, listed or counted.
 * - `remove` forgets a connection, claimed or not. Removing one that is not there does nothing.
 * - `claimOrphans` claims connections, claimed or not, of nodes whose leases have ended, at most `limit` of them.
 * - `unfinished` returns connections that a node has claimed and not removed, at most `limit` of them: those of a call of
 *   `claimOrphans` whose answer was lost are among them.
 * - `release` ends the lease of a node at once.
 * - `list` returns connections in the order of their ids, which is the same on every call.
 * - Leases are by the clock of the store. While the store is unavailable, a call rejects with `BrokerUnavailableError` in less than
 *   two seconds.
 *
 * Not promised: that a cleanup is done only once if the process that does it dies before `remove`.
 */
export abstract class Registry {
  abstract renew(node: string, leaseMs: number): Promise<boolean>;
  abstract add(connection: RegisteredConnection): Promise<void>;
  abstract claim(id: string, node: string): Promise<boolean>;
  abstract remove(id: string): Promise<void>;
  abstract claimOrphans(node: string, limit: number): Promise<readonly RegisteredConnection[]>;
  abstract unfinished(node: string, limit: number): Promise<readonly RegisteredConnection[]>;
  abstract release(node: string): Promise<void>;
  abstract find(id: string): Promise<RegisteredConnection | undefined>;
  abstract list(query: RegistryQuery): Promise<readonly RegisteredConnection[]>;
  /** Returns the number of connections, of one route or of all. */
  abstract count(route?: string): Promise<number>;
  abstract close(): Promise<void>;
}
