import type { ClientInfo } from '../presence/client-info.js';
import type { Publication } from '../publications/publication.js';

/**
 * A sink that the gateway attaches to one or more channels, for one connection.
 *
 * `receive` is called once for each publication and subscriber, synchronously, on the hot path: it must not throw, must
 * not await, and should not allocate. The same applies to the other methods.
 */
export interface Subscriber {
  receive(publication: Publication): void;
  /** A client has joined the channel. */
  receiveJoin?(info: ClientInfo, channel: string): void;
  /** A client has left the channel. */
  receiveLeave?(info: ClientInfo, channel: string): void;
  /**
   * The connection to the store was lost and is restored: the subscriber may have missed something. If it knows its
   * position, it compares it with `Delivery.history(channel, { limit: 0 })`, and again after a pause if they differ,
   * because a publication may be on its way.
   */
  interrupted?(channel: string): void;
}
