import { type Link, RemotePort } from '../../../ipc/index.js';
import { routeOf } from '../../channels/address.js';
import type { Fanout, PublicationHandler } from '../../fanout.port.js';
import type { Publication } from '../../publications/publication.js';
import { HUB, RECEIVER } from './ipc-hub.js';
import { portErrors } from './port-errors.js';
import { packPublication, unpackPublication } from './publication-bytes.js';

interface Subscription {
  count: number;
  readonly active: Promise<void>;
}

/** The fan-out of a worker, over the hub in the primary process. The hub also returns the worker's own publications. */
export class IpcFanout implements Fanout {
  readonly repeats = false;
  readonly #hub: RemotePort;
  readonly #subscriptions = new Map<string, Subscription>();
  #closed = false;

  constructor(
    private readonly link: Link,
    handler: PublicationHandler,
  ) {
    this.#hub = new RemotePort(link, HUB, portErrors);
    link.serve(RECEIVER, {
      receive: (bytes: Buffer) => {
        if (!this.#closed) handler(unpackPublication(bytes));
      },
    });
  }

  publish(publication: Publication): Promise<void> {
    return this.#hub.call('publish', routeOf(publication.channel), packPublication(publication));
  }

  subscribe(channel: string): Promise<void> {
    const route = routeOf(channel);
    const known = this.#subscriptions.get(route);
    if (known !== undefined && !this.#closed) {
      known.count++;
      return known.active;
    }
    const active = this.#hub.call<void>('subscribe', route);
    if (!this.#closed) this.#subscriptions.set(route, { count: 1, active });
    return active;
  }

  unsubscribe(channel: string): void {
    const route = routeOf(channel);
    const subscription = this.#subscriptions.get(route);
    if (subscription === undefined || --subscription.count > 0) return;
    this.#subscriptions.delete(route);
    this.link.notify(HUB, 'unsubscribe', route);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const route of this.#subscriptions.keys()) this.link.notify(HUB, 'unsubscribe', route);
    this.#subscriptions.clear();
    await this.#hub.close();
  }
}
