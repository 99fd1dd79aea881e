import type { BrokerStatus } from '../../../metrics/index.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import type { PulsarTransport } from './transport.js';

/**
 * Returns the transport for the scheme of `serviceUrl`. Does not wait for Pulsar, except a moment for its version.
 *
 * @throws {AdapterUnusableError} if the native client is required and cannot be loaded, or if Pulsar is too old
 */
export async function openPulsarTransport(
  options: PulsarDriverOptions,
  status: BrokerStatus,
): Promise<PulsarTransport> {
  if (options.serviceUrl.startsWith('pulsar')) {
    const { NativeTransport } = await import('./native/native-transport.js');
    return NativeTransport.open(options, status);
  }
  const { WebSocketTransport } = await import('./websocket/websocket-transport.js');
  return WebSocketTransport.open(options, status);
}
