import { identityChannel } from '../delivery/index.js';
import type { Caller } from '../http/index.js';

/** The channel of the clients with the caller's User-Agent and address: what a caller without a key may reach. */
export function channelOfCaller({ identity: { userAgent, address } }: Caller): string {
  return identityChannel(userAgent, address);
}
