import type { Publication } from './publication.js';

/**
 * The sink that the gateway registers: one connection's interest in one or more channels.
 *
 * `receive` is called once per publication and subscriber, synchronously, on the hot path: it must not throw, must
 * not await, and should not allocate.
 */
export interface Subscriber {
  receive(publication: Publication): void;
}
