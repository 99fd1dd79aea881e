import { identityChannel } from '../delivery/index.js';
import type { Caller } from '../http/index.js';

/** Returns the channel of the clients with the caller's User-Agent and address: the only one that a caller without a key may use. */
export function channelOfCaller({ identity: { userAgent, address } }: Caller): string {
  return identityChannel(userAgent, address);
}
