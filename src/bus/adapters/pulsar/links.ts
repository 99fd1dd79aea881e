import type { BrokerStatus } from '../../../metrics/index.js';

/**
 * Sums up the producers and consumers of one adapter: Pulsar is up when all of them are connected, and down for the reason
 * of the first that is not.
 */
export class PulsarLinks {
  readonly #reasons = new Map<object, string | undefined>();

  constructor(private readonly status: BrokerStatus) {}

  connected(link: object): void {
    this.#reasons.set(link, undefined);
    this.#sumUp();
  }

  lost(link: object, reason: string): void {
    this.#reasons.set(link, reason);
    this.#sumUp();
  }

  closed(link: object): void {
    this.#reasons.delete(link);
    if (this.#reasons.size > 0) this.#sumUp();
  }

  #sumUp(): void {
    const reason = [...this.#reasons.values()].find((one) => one !== undefined);
    if (reason === undefined) this.status.up();
    else this.status.down(reason);
  }
}
