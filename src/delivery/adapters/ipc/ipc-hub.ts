import type { Link } from '../../../ipc/index.js';
import { routeOf } from '../../channels/address.js';
import type { Publication } from '../../publications/publication.js';
import { packPublication } from './publication-bytes.js';

/** The names of the ports over which the hub and the workers call each other. */
export const HUB = 'fanout-hub';
export const RECEIVER = 'receiver';

/**
 * The hub of the fan-out between the processes of one machine, in the primary process. It knows which worker is
 * subscribed to which route, and forwards the bytes of a publication to each subscribed worker in the order of arrival.
 */
export class IpcHub {
  readonly #workers = new Map<string, Set<Link>>();

  /** Routes with at least one subscribed worker. */
  get routeCount(): number {
    return this.#workers.size;
  }

  connect(link: Link): void {
    const routes = new Set<string>();
    link.serve(HUB, {
      publish: (route: string, bytes: Buffer) => this.#forward(route, bytes),
      subscribe: (route: string) => {
        routes.add(route);
        const workers = this.#workers.get(route);
        if (workers === undefined) this.#workers.set(route, new Set([link]));
        else workers.add(link);
      },
      unsubscribe: (route: string) => {
        routes.delete(route);
        this.#remove(route, link);
      },
    });
    link.onEnd(() => {
      for (const route of routes) this.#remove(route, link);
    });
  }

  publish(publication: Publication): void {
    const route = routeOf(publication.channel);
    if (this.#workers.has(route)) this.#forward(route, packPublication(publication));
  }

  #forward(route: string, bytes: Buffer): void {
    for (const link of this.#workers.get(route) ?? []) link.notify(RECEIVER, 'receive', bytes);
  }

  #remove(route: string, link: Link): void {
    const workers = this.#workers.get(route);
    if (workers?.delete(link) && workers.size === 0) this.#workers.delete(route);
  }
}
