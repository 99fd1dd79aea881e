import { Logger } from '@nestjs/common';
import { settlesWithin } from '../../../../async/index.js';
import type { BrokerStatus } from '../../../../metrics/index.js';
import { readAuthorities } from '../../../../tls/index.js';
import { ConnectionStatus } from '../connection-status.js';
import { loadNativeClient, type NativeClient } from './native-client.js';
import { CLOSE_TIMEOUT_MS } from './native-connection.js';
import { NativeConsumer } from './native-consumer.js';
import { NativeProducer } from './native-producer.js';
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

/** Pulsar's binary protocol over the optional package pulsar-client: one connection for all producers and consumers. */
export class NativeTransport implements PulsarTransport {
  /** The client passes on one message after the other, each in an event-loop turn of its own. */
  readonly coalesceMs = 2;
  readonly #status: ConnectionStatus;

  private constructor(
    private readonly client: NativeClient,
    private readonly options: PulsarDriverOptions,
    status: BrokerStatus,
  ) {
    this.#status = new ConnectionStatus(status);
  }

  /**
   * @throws {AdapterUnusableError} if the package cannot be loaded
   * @throws {AuthoritiesUnreadableError}
   */
  static async open(options: PulsarDriverOptions, status: BrokerStatus): Promise<NativeTransport> {
    readAuthorities(options.tlsCaFile); // for its error: the client would only report that it cannot connect
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
    return new NativeProducer(this.client, topic, this.options, this.#status);
  }

  consume(options: PulsarConsumeOptions, onMessage: (message: PulsarMessage) => void): PulsarConsumer {
    return new NativeConsumer(this.client, options, this.options, this.#status, onMessage);
  }

  async close(): Promise<void> {
    // It rejects if connections are closed already.
    await settlesWithin(CLOSE_TIMEOUT_MS, Promise.allSettled([this.client.close()]));
  }
}
