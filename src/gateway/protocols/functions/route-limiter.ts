import { RateLimit } from '../../../limits/index.js';
import { HandshakeRefusedError } from '../../connection/refusals.js';
import { closeCodes } from './close-codes.js';
import type { Route, RoutedConnection } from './route.js';

/** Applies the limits that some routes have: how many clients connect, how long connections last, and how long they may be idle. */
export class RouteLimiter {
  readonly #rates = new Map<Route, { readonly limit: RateLimit; state: number }>();

  /** @throws HandshakeRefusedError too many clients of the route are connecting */
  admit(route: Route): void {
    if (route.limits === undefined) return;
    let rate = this.#rates.get(route);
    if (rate === undefined) {
      rate = { limit: new RateLimit(route.limits.newConnections), state: 0 };
      this.#rates.set(route, rate);
    }
    const state = rate.limit.next(rate.state, performance.now());
    if (state !== undefined) {
      rate.state = state;
      return;
    }
    throw new HandshakeRefusedError({
      status: 429,
      code: 'too_many_handshakes_of_route',
      message: 'too many clients of this route are connecting at once',
      retryable: true,
    });
  }

  /** Closes the connections that have been idle or open for too long. */
  sweep(connections: Iterable<RoutedConnection>, now: number): void {
    for (const connection of connections) {
      const { limits } = connection.route;
      if (limits === undefined || !connection.isReachable) continue;
      if (now - connection.connectedAt >= limits.maxConnectionMs) connection.close(closeCodes.tooOld);
      else if (now - connection.lastActiveAt >= limits.idleTimeoutMs) connection.close(closeCodes.idle);
    }
  }
}
