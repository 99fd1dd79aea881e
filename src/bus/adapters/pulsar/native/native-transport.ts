import { Logger } from '@nestjs/common';
import type { BrokerStatus } from '../../../../metrics/index.js';
import { readAuthorities } from '../../../../tls/index.js';
import { PulsarLinks } from '../links.js';
import { loadNativeClient, type NativeClient } from './native-client.js';
import { NativeConsumerLoop } from './native-consumer.js';
import { NativeSender } from './native-producer.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import type { PulsarTopic } from '../topic.js';
import type {
  PulsarConsumeOptions,
  PulsarConsumer,
  PulsarMessage,
  PulsarProducer,
  PulsarTransport,
} from '../transport.js';

const WARN = 2;

/** Pulsar's binary protocol, by the optional package pulsar-client: one connection for all producers and consumers. */
export class NativeTransport implements PulsarTransport {
  readonly #links: PulsarLinks;

  private constructor(
    private readonly client: NativeClient,
    private readonly options: PulsarDriverOptions,
    status: BrokerStatus,
  ) {
    this.#links = new PulsarLinks(status);
  }

  /**
   * @throws {AdapterUnusableError} the package cannot be loaded
   * @throws {AuthoritiesUnreadableError}
   */
  static async open(options: PulsarDriverOptions, status: BrokerStatus): Promise<NativeTransport> {
    readAuthorities(options.tlsCaFile); // the client would only say that it cannot connect
    const { Client, AuthenticationToken } = await loadNativeClient();
    const logger = new Logger('PulsarClient');
    Client.setLogHandler((level, _file, _line, message) => {
      if (level > WARN) logger.error(message);
      else if (level === WARN) logger.warn(message);
    });
    const { serviceUrl, token, tlsCaFile, connectTimeoutMs } = options;
    const client = new Client({
      serviceUrl,
      operationTimeoutSeconds: Math.ceil(connectTimeoutMs / 1_000),
      connectionTimeoutMs: connectTimeoutMs,
      logLevel: WARN,
      tlsValidateHostname: true,
      ...(token === undefined ? {} : { authentication: new AuthenticationToken({ token }) }),
      ...(tlsCaFile === undefined ? {} : { tlsTrustCertsFilePath: tlsCaFile }),
    });
    return new NativeTransport(client, options, status);
  }

  produce(topic: PulsarTopic): PulsarProducer {
    return new NativeSender(this.client, topic, this.options, this.#links);
  }

  consume(options: PulsarConsumeOptions, onMessage: (message: PulsarMessage) => void): PulsarConsumer {
    return new NativeConsumerLoop(this.client, options, this.options, this.#links, onMessage);
  }

  async close(): Promise<void> {
    await this.client.close().catch(() => {}); // it complains of connections that are gone already
  }
}
