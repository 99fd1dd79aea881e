import type { NodeInfo } from './node-info.js';

/** The other nodes that have announced themselves recently. */
export class KnownNodes {
  readonly #seen = new Map<string, { readonly info: NodeInfo; readonly at: number }>();

  constructor(
    /** A node without an announcement for this time is removed, in ms. */
    private readonly expiryMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  update(info: NodeInfo): void {
    this.#seen.set(info.uid, { info, at: this.now() });
  }

  remove(uid: string): void {
    this.#seen.delete(uid);
  }

  list(): NodeInfo[] {
    const oldest = this.now() - this.expiryMs;
    for (const [uid, { at }] of this.#seen) if (at < oldest) this.#seen.delete(uid);
    return [...this.#seen.values()].map(({ info }) => info);
  }
}
