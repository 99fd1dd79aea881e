import type { BrokerStatus } from '../../../../metrics/index.js';
import { readAuthorities } from '../../../../tls/index.js';
import { PulsarLinks } from '../links.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import type { PulsarSocketOptions } from './socket.js';
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
 * Pulsar's WebSocket API (https://pulsar.apache.org/docs/4.0.x/client-libraries-websocket/): one socket for every
 * producer and every consumer, and nothing that they share.
 */
export class WebSocketTransport implements PulsarTransport {
  readonly #links: PulsarLinks;
  readonly #options: PulsarSocketOptions;

  /** @throws {AuthoritiesUnreadableError} */
  constructor(options: PulsarDriverOptions, status: BrokerStatus) {
    this.#options = { ...options, ...readAuthorities(options.tlsCaFile) };
    this.#links = new PulsarLinks(status);
  }

  produce(topic: PulsarTopic): PulsarProducer {
    return new WebSocketProducer(topic, this.#options, this.#links);
  }

  consume(
    options: PulsarConsumeOptions,
    onMessage: (message: PulsarMessage) => void,
    onLost?: () => void,
  ): PulsarConsumer {
    return new WebSocketConsumer(options, this.#options, this.#links, onMessage, onLost);
  }

  async close(): Promise<void> {}
}
