import type { Link } from '../../../ipc/index.js';
import { routeOf } from '../../channels/address.js';
import type { Publication } from '../../publications/publication.js';
import { packPublication } from './publication-bytes.js';

/** Under which names the two ends of the fan-out call one another. */
export const SWITCHBOARD = 'switchboard';
export const RECEIVER = 'receiver';

/**
 * The middle of the fan-out, in the primary process: which worker listens to which route. It passes a publication on as the
 * bytes that it came in, to each listener in the order of its coming.
 */
export class IpcHub {
  readonly #listeners = new Map<string, Set<Link>>();

  /** Routes that somebody listens to. */
  get routeCount(): number {
    return this.#listeners.size;
  }

  connect(link: Link): void {
    const routes = new Set<string>();
    link.serve(SWITCHBOARD, {
      publish: (route: string, bytes: Buffer) => this.#forward(route, bytes),
      subscribe: (route: string) => {
        routes.add(route);
        const listeners = this.#listeners.get(route);
        if (listeners === undefined) this.#listeners.set(route, new Set([link]));
        else listeners.add(link);
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
    if (this.#listeners.has(route)) this.#forward(route, packPublication(publication));
  }

  #forward(route: string, bytes: Buffer): void {
    for (const link of this.#listeners.get(route) ?? []) link.notify(RECEIVER, 'receive', bytes);
  }

  #remove(route: string, link: Link): void {
    const listeners = this.#listeners.get(route);
    if (listeners?.delete(link) && listeners.size === 0) this.#listeners.delete(route);
  }
}
