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
import { WebSocketConsumer } from './websocket-consumer.js';
import { WebSocketProducer } from './websocket-producer.js';

/**
 * Pulsar's WebSocket API (https://pulsar.apache.org/docs/4.0.x/client-libraries-websocket/): each
 * producer and each consumer has a socket of its own.
 */
export class WebSocketTransport implements PulsarTransport {
  readonly #status: ConnectionStatus;
  readonly #options: SocketOptions;

  /** @throws {AuthoritiesUnreadableError} */
  constructor(options: PulsarDriverOptions, status: BrokerStatus) {
    this.#options = { ...options, ...readAuthorities(options.tlsCaFile) };
    this.#status = new ConnectionStatus(status);
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

  async close(): Promise<void> {}
}
