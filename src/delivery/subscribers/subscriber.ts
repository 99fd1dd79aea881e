import type { ClientInfo } from '../presence/client-info.js';
import type { Publication } from '../publications/publication.js';

/**
 * The sink that the gateway registers: one connection's interest in one or more channels.
 *
 * `receive` is called once per publication and subscriber, synchronously, on the hot path: it must not throw, must
 * not await, and should not allocate. The same holds for the others.
 */
export interface Subscriber {
  receive(publication: Publication): void;
  /** A client came to the channel. */
  receiveJoin?(info: ClientInfo, channel: string): void;
  /** A client left the channel. */
  receiveLeave?(info: ClientInfo, channel: string): void;
  /**
   * The connection to the store was lost and is restored: something may have been missed. A subscriber that knows its
   * position compares it with `Delivery.history(channel, { limit: 0 })`, twice with a pause if they differ, because a
   * publication may be on its way.
   */
  interrupted?(channel: string): void;
}
