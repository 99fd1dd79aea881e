import { BrokerUnavailableError, BusClosedError, RecordRefusedError } from '../../../bus.errors.js';
import { Semaphore } from '../../../../async/index.js';
import { Watchdog } from '../../../consumers/watchdog.js';
import type { ConnectionStatus } from '../connection-status.js';
import type { ClientProducer, NativeClient } from './native-client.js';
import { NativeConnection, REFUSED_OR_SILENT, reasonOf } from './native-connection.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { topicUri, type PulsarTopic } from '../topic.js';
import type { PulsarProducer, PulsarSend } from '../transport.js';

export class NativeProducer implements PulsarProducer {
  readonly #connection: NativeConnection<ClientProducer>;
  readonly #semaphore: Semaphore;
  readonly #watchdog: Watchdog;
  readonly #sends = new Set<Promise<void>>();
  /**
   * A function per send in flight that makes it fail when the connection is lost. One promise shared by all would
   * keep every send.
   */
  readonly #failFunctions = new Set<(reason: BrokerUnavailableError) => void>();
  #closing: Promise<void> | undefined;

  constructor(
    client: NativeClient,
    topic: PulsarTopic,
    private readonly options: PulsarDriverOptions,
    status: ConnectionStatus,
  ) {
    this.#semaphore = new Semaphore(options.maxInFlight);
    this.#watchdog = new Watchdog(options.sendTimeoutMs);
    const config = {
      topic: topicUri(topic),
      sendTimeoutMs: options.sendTimeoutMs,
      // Never reached, because the semaphore limits the sends in flight. A full queue would be an error, and with
      // `blockIfQueueFull` it would block the JavaScript thread.
      maxPendingMessages: options.maxInFlight + 1,
      // A batch is delivered to one member of a subscription whatever its keys are, and a batched message cannot be
      // delayed.
      batchingEnabled: false,
      hashingScheme: 'Murmur3_32Hash',
      messageRoutingMode: 'RoundRobinDistribution',
    };
    this.#connection = new NativeConnection(() => client.createProducer(config), options, status, {
      failed: (reason) => {
        for (const fail of this.#failFunctions) fail(new BrokerUnavailableError('pulsar', reason));
      },
    });
  }

  send(message: PulsarSend): Promise<void> {
    if (this.#closing) return Promise.reject(new BusClosedError());
    const { failure } = this.#connection;
    if (failure !== undefined) return Promise.reject(new BrokerUnavailableError('pulsar', failure));
    const sent = this.#sendWithTimeout(message).finally(() => this.#sends.delete(sent));
    this.#sends.add(sent);
    return sent;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#sends);
    this.#watchdog.close();
    await this.#connection.close();
  }

  async #sendWithTimeout(message: PulsarSend): Promise<void> {
    const { promise: failed, reject: fail } = Promise.withResolvers<never>();
    this.#failFunctions.add(fail);
    const release = this.#watchdog.watch(() => fail(this.#timeoutError()));
    try {
      await Promise.race([this.#send(message), failed]);
    } finally {
      release();
      this.#failFunctions.delete(fail);
    }
  }

  #timeoutError(): BrokerUnavailableError {
    const reason = `no answer within ${this.options.sendTimeoutMs} ms`;
    return new BrokerUnavailableError(
      'pulsar',
      this.#connection.isOpen ? reason : `${reason}: ${REFUSED_OR_SILENT}`,
    );
  }

  async #send({ payload, properties, key, deliverAt }: PulsarSend): Promise<void> {
    await this.#semaphore.acquire();
    try {
      const producer = await this.#connection.opened;
      await producer.send({
        data: payload,
        properties,
        ...(key === undefined ? {} : { partitionKey: key }),
        ...(deliverAt === undefined ? {} : { deliverAt }),
      });
    } catch (error) {
      const reason = reasonOf(error);
      if (/TooBig|Invalid/.test(reason)) throw new RecordRefusedError(reason, { cause: error });
      throw new BrokerUnavailableError('pulsar', reason, { cause: error });
    } finally {
      this.#semaphore.release();
    }
  }
}
