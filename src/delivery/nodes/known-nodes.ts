import type { NodeInfo } from './node-info.js';

/** The other nodes, as far as they have been heard of lately. */
export class KnownNodes {
  readonly #seen = new Map<string, { readonly info: NodeInfo; readonly at: number }>();

  constructor(
    /** After this silence a node counts as gone, in ms. */
    private readonly expiryMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  hear(info: NodeInfo): void {
    this.#seen.set(info.uid, { info, at: this.now() });
  }

  forget(uid: string): void {
    this.#seen.delete(uid);
  }

  list(): NodeInfo[] {
    const oldest = this.now() - this.expiryMs;
    for (const [uid, { at }] of this.#seen) if (at < oldest) this.#seen.delete(uid);
    return [...this.#seen.values()].map(({ info }) => info);
  }
}
