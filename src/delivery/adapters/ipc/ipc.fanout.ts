import { type Link, RemotePort } from '../../../ipc/index.js';
import { routeOf } from '../../channels/address.js';
import type { Fanout, PublicationHandler } from '../../fanout.port.js';
import type { Publication } from '../../publications/publication.js';
import { deliveryFailures } from './failures.js';
import { packPublication, unpackPublication } from './publication-bytes.js';
import { RECEIVER, SWITCHBOARD } from './ipc-hub.js';

interface Subscription {
  users: number;
  readonly inForce: Promise<void>;
}

/** A worker's end of the fan-out between the processes of one machine. Its own publications come back to it as to any other. */
export class IpcFanout implements Fanout {
  readonly repeats = false;
  readonly #switchboard: RemotePort;
  readonly #subscriptions = new Map<string, Subscription>();
  #closed = false;

  constructor(
    private readonly link: Link,
    handler: PublicationHandler,
  ) {
    this.#switchboard = new RemotePort(link, SWITCHBOARD, deliveryFailures);
    link.serve(RECEIVER, {
      receive: (bytes: Buffer) => {
        if (!this.#closed) handler(unpackPublication(bytes));
      },
    });
  }

  publish(publication: Publication): Promise<void> {
    return this.#switchboard.call('publish', routeOf(publication.channel), packPublication(publication));
  }

  subscribe(channel: string): Promise<void> {
    const route = routeOf(channel);
    const known = this.#subscriptions.get(route);
    if (known !== undefined && !this.#closed) {
      known.users++;
      return known.inForce;
    }
    const inForce = this.#switchboard.call<void>('subscribe', route);
    if (!this.#closed) this.#subscriptions.set(route, { users: 1, inForce });
    return inForce;
  }

  unsubscribe(channel: string): void {
    const route = routeOf(channel);
    const subscription = this.#subscriptions.get(route);
    if (subscription === undefined || --subscription.users > 0) return;
    this.#subscriptions.delete(route);
    this.link.notify(SWITCHBOARD, 'unsubscribe', route);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const route of this.#subscriptions.keys()) this.link.notify(SWITCHBOARD, 'unsubscribe', route);
    this.#subscriptions.clear();
    await this.#switchboard.close();
  }
}
