import type { ClientSubscription } from './client-subscription.js';

/** Up to this many are searched one by one, which is faster and smaller than a map. */
const FEW = 8;

/** The subscriptions of one connection by channel. Most connections have one or two, which are kept in an array only. */
export class Subscriptions {
  #list: ClientSubscription[] = [];
  #byChannel: Map<string, ClientSubscription> | undefined;

  get size(): number {
    return this.#byChannel?.size ?? this.#list.length;
  }

  get(channel: string): ClientSubscription | undefined {
    if (this.#byChannel !== undefined) return this.#byChannel.get(channel);
    for (const each of this.#list) if (each.channel === channel) return each;
    return undefined;
  }

  /** Adds a subscription to a channel that has none yet. */
  add(subscription: ClientSubscription): void {
    if (this.#byChannel === undefined && this.#list.length < FEW) {
      this.#list.push(subscription);
      return;
    }
    this.#byChannel ??= new Map(this.#list.map((each) => [each.channel, each]));
    this.#list = [];
    this.#byChannel.set(subscription.channel, subscription);
  }

  delete(channel: string): void {
    if (this.#byChannel !== undefined) {
      this.#byChannel.delete(channel);
      return;
    }
    const at = this.#list.findIndex((each) => each.channel === channel);
    if (at >= 0) this.#list.splice(at, 1);
  }

  /** Returns a copy, so that subscriptions may end during an iteration. */
  toArray(): ClientSubscription[] {
    return Array.from(this);
  }

  [Symbol.iterator](): IterableIterator<ClientSubscription> {
    return this.#byChannel?.values() ?? this.#list.values();
  }
}
