import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import type { BrokerStatus } from '../../../metrics/index.js';
import { readAuthorities } from '../../../tls/index.js';
import { BusClosedError } from '../../bus.errors.js';
import { after, settlesWithin } from '../../../async/index.js';
import { compressionTypes, registerCodecs } from './compression/codecs.js';
import { kafkaError, reasonOf } from './kafka.errors.js';
import { KafkaLink } from './link.js';
import { kafkaLogCreator } from './log.js';
import type { KafkaDriverOptions } from './kafka.options.js';
import { patchRequestQueue } from './request-queue.js';
import { KafkaTopics } from './topics.js';

const PROBE_WHEN_DOWN_MS = 500;
/** Calls within this time after a failed attempt to connect get its error, so that a burst of calls makes one attempt. */
const RECONNECT_PAUSE_MS = 200;
const CLOSE_TIMEOUT_MS = 3_000;

/**
 * Keeps one {@link KafkaLink} connected and reports to `status` whether it is. It probes the link regularly, so that a process
 * that publishes nothing also notices when the brokers become unavailable or available.
 */
export class KafkaConnection {
  readonly topics: KafkaTopics;
  readonly #logCreator = kafkaLogCreator();
  readonly #tls: { readonly ca?: Buffer } | undefined;
  readonly #closing = new Set<Promise<void>>();
  readonly #followers = new Set<(failure: string | undefined) => void>();
  #link: KafkaLink | undefined;
  #connecting: Promise<KafkaLink> | undefined;
  #failure: { readonly at: number; readonly error: Error } | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @throws {AuthoritiesUnreadableError} */
  constructor(
    readonly options: KafkaDriverOptions,
    private readonly status: BrokerStatus,
  ) {
    this.topics = new KafkaTopics(this, options);
    patchRequestQueue();
    registerCodecs(options.maxDecompressedBytes);
    if (options.tls) this.#tls = readAuthorities(options.tlsCaFile);
    this.#scheduleProbe();
  }

  get isDown(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Calls `follower` when the brokers cannot be reached any more, with the reason, and when they can be reached again. Returns a
   * function that ends this.
   */
  follow(follower: (failure: string | undefined) => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** @throws {BrokerUnavailableError} no broker can be reached, now or a moment ago */
  async link(): Promise<KafkaLink> {
    if (this.#closed) throw new BusClosedError();
    if (this.#link !== undefined) return this.#link;
    if (this.#failure !== undefined && Date.now() - this.#failure.at < RECONNECT_PAUSE_MS) {
      throw this.#failure.error;
    }
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  /** Replaces a link that failed by a new one. Requests in progress on the old link may still succeed. */
  replace(link: KafkaLink): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#closeLater(link);
    this.link().catch(() => {});
  }

  /** Creates a client. Each consumer needs its own: otherwise kafkajs shares the offsets of groups with the same name. */
  client(config: Partial<KafkaConfig> = {}): Kafka {
    const { brokers, clientId, sasl, connectTimeoutMs } = this.options;
    return new Kafka({
      brokers,
      clientId,
      connectionTimeout: connectTimeoutMs,
      authenticationTimeout: connectTimeoutMs,
      ...(this.#tls === undefined ? {} : { ssl: this.#tls }),
      ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
      // Enough attempts for every broker of the list. A caller that can wait longer repeats the call.
      retry: { initialRetryTime: 50, maxRetryTime: 250, retries: Math.max(3, brokers.length) },
      logLevel: logLevel.WARN,
      logCreator: this.#logCreator,
      ...config,
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probeTimer);
    await this.#connecting?.catch(() => {});
    if (this.#link !== undefined) this.#closeLater(this.#link);
    await settlesWithin(CLOSE_TIMEOUT_MS, Promise.all(this.#closing));
  }

  async #connect(): Promise<KafkaLink> {
    try {
      const { compression, sendTimeoutMs } = this.options;
      const client = this.client({ requestTimeout: sendTimeoutMs });
      const link = await KafkaLink.open(client, compressionTypes[compression]);
      this.#link = link;
      if (this.#failure !== undefined) for (const follower of this.#followers) follower(undefined);
      this.#failure = undefined;
      this.status.up();
      return link;
    } catch (cause) {
      const error = kafkaError(cause);
      if (this.#failure === undefined) for (const follower of this.#followers) follower(reasonOf(cause));
      this.#failure = { at: Date.now(), error };
      this.status.down(reasonOf(cause));
      throw error;
    } finally {
      this.#connecting = undefined;
    }
  }

  #closeLater(link: KafkaLink): void {
    const closing = link.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #scheduleProbe(): void {
    const delayMs = this.isDown ? PROBE_WHEN_DOWN_MS : this.options.checkIntervalMs;
    this.#probeTimer = after('probe of Kafka', delayMs, () =>
      this.#probe().finally(() => {
        if (!this.#closed) this.#scheduleProbe();
      }),
    );
  }

  async #probe(): Promise<void> {
    const link = await this.link().catch(() => undefined);
    if (link === undefined) return;
    const responds = settlesWithin(this.options.sendTimeoutMs, link.admin.describeCluster());
    if (!(await responds.catch(() => false)) && !this.#closed) this.replace(link);
  }
}

function saslOptions(sasl: NonNullable<KafkaDriverOptions['sasl']>): NonNullable<KafkaConfig['sasl']> {
  const { mechanism, username, password } = sasl;
  // One case each, because kafkajs's type is a union that is discriminated by the mechanism.
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
    default:
      return mechanism satisfies never;
  }
}
