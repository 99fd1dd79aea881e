import { LeaseEndedError } from '../delivery.errors.js';

interface Lease {
  until: number;
  /** Others are taking over the connections of the node. */
  taken: boolean;
}

/** The leases of the processes that share a registry in this process, by a clock of this process. */
export class NodeLeases {
  readonly #leases = new Map<string, Lease>();

  /** @param now a monotonic clock in ms */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Returns whether there was a lease that nobody has taken over. */
  renew(node: string, leaseMs: number): boolean {
    const lease = this.#leases.get(node);
    this.#leases.set(node, { until: this.now() + leaseMs, taken: false });
    return lease !== undefined && !lease.taken;
  }

  release(node: string): void {
    const lease = this.#leases.get(node);
    if (lease !== undefined) lease.until = Number.NEGATIVE_INFINITY;
  }

  /** @throws LeaseEndedError if the node has none, or others have taken it over */
  require(node: string): void {
    const lease = this.#leases.get(node);
    if (lease === undefined || lease.taken) throw new LeaseEndedError();
  }

  /** Whether the connections of a node may be taken over: it is unknown, or its lease has ended. */
  isOver(node: string): boolean {
    return (this.#leases.get(node)?.until ?? Number.NEGATIVE_INFINITY) <= this.now();
  }

  /** The connections of the node are being taken over. */
  take(node: string): void {
    const lease = this.#leases.get(node);
    if (lease !== undefined) lease.taken = true;
  }
}
