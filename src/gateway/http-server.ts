import type { ServerOptions } from 'node:http';
import type { GatewayOptions } from './gateway.options.js';

/**
 * How the HTTP server that carries the gateway must be made. Node takes these at its making only; of Nest's Fastify
 * adapter they are the `http` option.
 */
export function httpServerOptions({ handshakeTimeoutMs, maxHeaderBytes }: GatewayOptions): ServerOptions {
  return {
    headersTimeout: handshakeTimeoutMs,
    // How often Node looks for connections whose headers are overdue; its default of 30 s would triple the time-out.
    connectionsCheckingInterval: Math.max(100, Math.min(1_000, handshakeTimeoutMs / 4)),
    maxHeaderSize: maxHeaderBytes,
    // Other upgrades stay plain requests: Java's client offers `h2c` with every one (RFC 9110, section 7.8).
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  };
}
