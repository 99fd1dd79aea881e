import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { backoffMs, Semaphore } from '../../../async/index.js';
import { BrokerUnavailableError } from '../../bus.errors.js';
import {
  checkTopicName,
  errorTypeOf,
  isPassing,
  isTopicUnknown,
  kafkaError,
  topicErrorsOf,
} from './kafka.errors.js';
import type { KafkaDriverOptions } from './kafka.options.js';
import type { KafkaLink } from './link.js';

/** The links to the cluster, of which one is in use at a time. */
export interface KafkaLinks {
  link(): Promise<KafkaLink>;
  replace(link: KafkaLink): void;
}

type TopicsOptions = Pick<KafkaDriverOptions, 'partitions' | 'replicationFactor' | 'sendTimeoutMs'>;
type CreationRequest = PromiseWithResolvers<void>;

/** A topic that has no leaders by then is given up. The next use of it tries again. */
const READY_TIMEOUT_MS = 15_000;
const INITIAL_PAUSE_MS = 25;
const MAX_PAUSE_MS = 500;
const REQUEST_EVERY_ATTEMPTS = 8;
const MAX_LOOKUPS = 8;
const MAX_TOPICS_PER_REQUEST = 50;

/**
 * Creates the topics that this process uses, unless they exist.
 *
 * A broker that has created a topic does not know it at once, and its partitions have no leaders at once. So each topic is looked
 * up until all of its partitions have leaders. Topics that are needed at the same time are created in one request, and one such
 * request is made at a time.
 */
export class KafkaTopics {
  readonly #logger = new Logger('KafkaBus');
  readonly #ensured = new Map<string, Promise<number>>();
  /** Those that were absent and are not ready yet. */
  readonly #absent = new Set<string>();
  readonly #lookups = new Semaphore(MAX_LOOKUPS);
  readonly #requested = new Map<string, CreationRequest>();
  #isRequesting = false;

  constructor(
    private readonly links: KafkaLinks,
    private readonly options: TopicsOptions,
  ) {}

  /**
   * Resolves when the topic exists and can be used. The cluster is asked once.
   *
   * @returns the Unix time in ms at which the topic became ready if it had to be created, otherwise 0
   * @throws {RecordRefusedError} Kafka does not accept the name
   * @throws {BrokerUnavailableError}
   */
  ensure(topic: string): Promise<number> {
    const known = this.#ensured.get(topic);
    if (known !== undefined) return known;
    const ensured = this.#ensure(topic).finally(() => this.#absent.delete(topic));
    this.#ensured.set(topic, ensured);
    ensured.catch(() => {
      if (this.#ensured.get(topic) === ensured) this.#ensured.delete(topic);
    });
    return ensured;
  }

  /** The topic was absent, and is not ready yet. */
  isCreating(topic: string): boolean {
    return this.#absent.has(topic);
  }

  /** Makes the next `ensure` ask again, because the topic may have been deleted. */
  forget(topic: string): void {
    this.#ensured.delete(topic);
  }

  async #ensure(topic: string): Promise<number> {
    checkTopicName(topic);
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    for (let attempt = 1; ; attempt++) {
      const link = await this.links.link();
      let failure: unknown = new BrokerUnavailableError(
        'kafka',
        `topic ${topic} has partitions without a leader`,
      );
      try {
        if (await this.#isReady(topic, link, attempt)) return this.isCreating(topic) ? Date.now() : 0;
      } catch (error) {
        failure = error;
        // Another caller replaced the link, which ended its requests.
        const isReplaced = (await this.links.link()) !== link;
        if (!isReplaced && !isPassing(error)) throw kafkaError(error);
      }
      if (performance.now() > giveUpAt) throw kafkaError(failure);
      await delay(backoffMs(attempt, INITIAL_PAUSE_MS, MAX_PAUSE_MS));
    }
  }

  /** Creates the topic if it is absent. Resolves to whether all of its partitions are known to have leaders. */
  async #isReady(topic: string, { admin }: KafkaLink, attempt: number): Promise<boolean> {
    try {
      await this.#lookups.run(() => admin.fetchTopicMetadata({ topics: [topic] }));
      // The metadata names the leaders of a new topic before these know it.
      if (this.isCreating(topic)) await this.#lookups.run(() => admin.fetchTopicOffsets(topic));
      return true;
    } catch (error) {
      // kafkajs 2.2.4 throws a TypeError if it has the topic in its cache and the broker reports an error. Creating the topic
      // empties the cache.
      if (!isTopicUnknown(error) && !(error instanceof TypeError)) throw error;
    }
    // Requested again now and then, because it may have been deleted in the meantime.
    if (!this.isCreating(topic) || attempt % REQUEST_EVERY_ATTEMPTS === 0) await this.#requestCreation(topic);
    return false;
  }

  #requestCreation(topic: string): Promise<void> {
    this.#absent.add(topic);
    let request = this.#requested.get(topic);
    if (request === undefined) {
      request = Promise.withResolvers();
      this.#requested.set(topic, request);
    }
    if (!this.#isRequesting) void this.#createRequested();
    return request.promise;
  }

  async #createRequested(): Promise<void> {
    this.#isRequesting = true;
    // Lookups that were made together end in the same turn or shortly after each other.
    await nextTurn();
    while (this.#requested.size > 0) {
      const batch = new Map([...this.#requested].slice(0, MAX_TOPICS_PER_REQUEST));
      for (const topic of batch.keys()) this.#requested.delete(topic);
      await this.#createAll(batch);
    }
    this.#isRequesting = false;
  }

  /** Settles the requests. Never rejects. */
  async #createAll(requests: ReadonlyMap<string, CreationRequest>): Promise<void> {
    try {
      const refused = await this.#create([...requests.keys()]);
      for (const [topic, { resolve, reject }] of requests) {
        const error = refused.get(topic);
        if (error === undefined || errorTypeOf(error) === 'TOPIC_ALREADY_EXISTS') resolve();
        else reject(error);
      }
    } catch (error) {
      for (const { reject } of requests.values()) reject(error);
    }
  }

  /** Resolves to the errors of those topics that the cluster refused to create. */
  async #create(topics: readonly string[]): Promise<ReadonlyMap<string, Error>> {
    const { partitions, replicationFactor, sendTimeoutMs } = this.options;
    const creations = topics.map((topic) => ({ topic, numPartitions: partitions, replicationFactor }));
    const link = await this.links.link();
    let refused: ReadonlyMap<string, Error> = new Map();
    try {
      // With waitForLeaders, kafkajs fails if the broker does not know the topic yet.
      const request = { topics: creations, timeout: sendTimeoutMs, waitForLeaders: false };
      // False if all of them exist.
      if (!(await link.admin.createTopics(request))) return refused;
    } catch (error) {
      // A client keeps asking for every topic that it was used with. After one is deleted, all calls of the client fail.
      if (isTopicUnknown(error)) this.links.replace(link);
      const errors = topicErrorsOf(error);
      if (errors === undefined) throw error;
      refused = errors;
    }
    for (const topic of topics)
      if (!refused.has(topic))
        this.#logger.log(`Kafka topic ${topic}: created with ${partitions} partitions`);
    return refused;
  }
}
