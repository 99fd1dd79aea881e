import { BrokerUnavailableError, BusClosedError, RecordRefusedError } from '../../../bus.errors.js';
import { settlesWithin, Semaphore } from '../../../../async/index.js';
import type { PulsarLinks } from '../links.js';
import type { NativeClient, NativeProducer } from './native-client.js';
import { NativeLink, reasonOf } from './native-link.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { topicUri, type PulsarTopic } from '../topic.js';
import type { PulsarProducer, PulsarSend } from '../transport.js';

export class NativeSender implements PulsarProducer {
  readonly #link: NativeLink<NativeProducer>;
  readonly #semaphore: Semaphore;
  readonly #sends = new Set<Promise<void>>();
  /** Of each send under way: what tells it of a lost connection. A promise that all share would remember every send. */
  readonly #failing = new Set<(reason: BrokerUnavailableError) => void>();
  #closing: Promise<void> | undefined;

  constructor(
    client: NativeClient,
    topic: PulsarTopic,
    private readonly options: PulsarDriverOptions,
    links: PulsarLinks,
  ) {
    this.#semaphore = new Semaphore(options.maxInFlight);
    const config = {
      topic: topicUri(topic),
      sendTimeoutMs: options.sendTimeoutMs,
      // Never reached: `blockIfQueueFull` would block the JavaScript thread, and without it a full queue is an error.
      maxPendingMessages: options.maxInFlight + 1,
      // A batch goes to one member of a subscription whatever its keys are, and a batched message cannot be delayed.
      batchingEnabled: false,
      hashingScheme: 'Murmur3_32Hash',
      messageRoutingMode: 'RoundRobinDistribution',
    };
    this.#link = new NativeLink(
      () => client.createProducer(config),
      options,
      links,
      (reason) => {
        for (const fail of this.#failing) fail(new BrokerUnavailableError('pulsar', reason));
      },
    );
  }

  send(message: PulsarSend): Promise<void> {
    if (this.#closing) return Promise.reject(new BusClosedError());
    const { failure } = this.#link;
    if (failure !== undefined) return Promise.reject(new BrokerUnavailableError('pulsar', failure));
    const sent = this.#sendInTime(message).finally(() => this.#sends.delete(sent));
    this.#sends.add(sent);
    return sent;
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#sends).then(() => this.#link.close());
    return this.#closing;
  }

  async #sendInTime(message: PulsarSend): Promise<void> {
    const { sendTimeoutMs } = this.options;
    const { promise: failed, reject: fail } = Promise.withResolvers<never>();
    this.#failing.add(fail);
    try {
      if (await settlesWithin(sendTimeoutMs, Promise.race([this.#send(message), failed]))) return;
    } finally {
      this.#failing.delete(fail);
    }
    throw new BrokerUnavailableError('pulsar', `no answer within ${sendTimeoutMs} ms`);
  }

  async #send({ payload, properties, key, deliverAt }: PulsarSend): Promise<void> {
    await this.#semaphore.acquire();
    try {
      const producer = await this.#link.opened;
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
