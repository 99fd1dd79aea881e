import type { BrokerStatus } from '../../../../metrics/index.js';
import { readAuthorities } from '../../../../tls/index.js';
import { ConnectionStatus } from '../connection-status.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import type { SocketOptions } from './reconnecting-socket.js';
import type { PulsarTopic } from '../topic.js';
import type {
  PulsarConsumeOptions,
  PulsarConsumer,
  PulsarMessage,
  PulsarProducer,
  PulsarTransport,
} from '../transport.js';
import { BrokerVersion } from './broker-version.js';
import { WebSocketConsumer } from './websocket-consumer.js';
import { WebSocketProducer } from './websocket-producer.js';

/**
 * Pulsar's WebSocket API (https://pulsar.apache.org/docs/4.0.x/client-libraries-websocket/): each
 * producer and each consumer has a socket of its own.
 */
export class WebSocketTransport implements PulsarTransport {
  readonly coalesceMs = 0;
  readonly #status: ConnectionStatus;
  readonly #options: SocketOptions;

  readonly #version: BrokerVersion;

  /** @throws {AuthoritiesUnreadableError} */
  constructor(options: PulsarDriverOptions, status: BrokerStatus) {
    this.#options = { ...options, ...readAuthorities(options.tlsCaFile) };
    this.#status = new ConnectionStatus(status);
    this.#version = new BrokerVersion(options, this.#status);
  }

  /**
   * @throws {AuthoritiesUnreadableError}
   * @throws {AdapterUnusableError} if the broker is known to be too old
   */
  static async open(options: PulsarDriverOptions, status: BrokerStatus): Promise<WebSocketTransport> {
    const transport = new WebSocketTransport(options, status);
    await transport.#version.check();
    return transport;
  }

  produce(topic: PulsarTopic): PulsarProducer {
    return new WebSocketProducer(topic, this.#options, this.#status);
  }

  consume(
    options: PulsarConsumeOptions,
    onMessage: (message: PulsarMessage) => void,
    onLost?: () => void,
  ): PulsarConsumer {
    return new WebSocketConsumer(options, this.#options, this.#status, onMessage, onLost);
  }

  async close(): Promise<void> {
    this.#version.close();
  }
}
