import type { SubscriptionObserver } from '../../bus.port.js';

/** Joins the consumers of several topics into one subscription, which is in force while all of them are connected. */
export class JoinedObservers {
  readonly #unconnected = new Set<SubscriptionObserver>();

  constructor(private readonly whole: SubscriptionObserver | undefined) {}

  /** Returns the observer of one consumer. All of them are added before the first one can be connected. */
  add(): SubscriptionObserver {
    const part: SubscriptionObserver = {
      inForce: () => {
        this.#unconnected.delete(part);
        if (this.#unconnected.size === 0) this.whole?.inForce();
      },
      failed: (reason) => {
        this.#unconnected.add(part);
        this.whole?.failed(reason);
      },
    };
    this.#unconnected.add(part);
    return part;
  }
}
