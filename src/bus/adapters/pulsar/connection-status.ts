import type { BrokerStatus } from '../../../metrics/index.js';

/**
 * Combines the producers and consumers of one adapter into one status: Pulsar is up if all of them are connected.
 * Otherwise it is down, for the reason of the first one that is not.
 */
export class ConnectionStatus {
  /** The reason why a connection is down, or undefined if it is up. */
  readonly #reasons = new Map<object, string | undefined>();

  constructor(private readonly status: BrokerStatus) {}

  up(connection: object): void {
    this.#reasons.set(connection, undefined);
    this.#update();
  }

  down(connection: object, reason: string): void {
    this.#reasons.set(connection, reason);
    this.#update();
  }

  closed(connection: object): void {
    this.#reasons.delete(connection);
    if (this.#reasons.size > 0) this.#update();
  }

  #update(): void {
    const reason = [...this.#reasons.values()].find((each) => each !== undefined);
    if (reason === undefined) this.status.up();
    else this.status.down(reason);
  }
}
