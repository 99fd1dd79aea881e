import { identityChannel } from '../delivery/index.js';
import { UntrustedProxyError, type Caller } from '../http/index.js';

/**
 * Returns the channel of the clients with the caller's User-Agent and address: the only one that a caller without a key may use.
 * @throws UntrustedProxyError if others may have the same two
 */
export function channelOfCaller({ identity: { userAgent, address }, isHidden }: Caller): string {
  if (isHidden)
    throw new UntrustedProxyError(
      'the request came through a proxy that the server does not trust, so its sender is not known: the operator has to list the ' +
        'proxy in server.trustedProxies, or the caller has to name a target and send an API key',
    );
  return identityChannel(userAgent, address);
}
