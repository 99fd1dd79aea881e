import { Logger } from '@nestjs/common';
import { Cluster, type Redis } from 'ioredis';
import { BrokerUnavailableError, RecordRefusedError } from '../../bus/index.js';
import type { BrokerStatus } from '../../metrics/index.js';
import { closeRedis, openRedis, openRedisNode, redisFailure, type RedisClient } from '../../redis/index.js';
import { routeOf } from '../address.js';
import { FanoutClosedError } from '../delivery.errors.js';
import type { RedisFanoutOptions } from '../delivery.options.js';
import type { Fanout, PublicationHandler } from '../fanout.port.js';
import { decodePublication, encodePublication } from '../publication-envelope.js';
import type { Publication } from '../publication.js';
import { AcceptedPublications } from './redis.accepted.js';
import { nodeOf } from './redis.node-of.js';
import { CLOCK_MARGIN_MS, RecentPublications, type StreamPosition } from './redis.recent.js';
import { RedisSubscriptions } from './redis.subscriptions.js';

/** One for each connection: they fail apart. */
export interface RedisFanoutStatus {
  readonly publishing: BrokerStatus;
  readonly subscriptions: BrokerStatus;
}

/** Publications sent again at once. */
const REPAIR_BATCH = 200;

/**
 * Fan-out over Redis pub/sub. Pub/sub alone forgets: whoever is cut off for a moment misses what is sent. So a publication
 * with an id goes to a stream of recent ones too, before it goes out. Three things together let nothing accepted be lost:
 *
 * - A process whose subscriptions were cut off subscribes again first and then reads the streams from the last
 *   moment known to be good. What is accepted after it has subscribed it receives, what was accepted before is in a stream.
 * - A Redis that restarted without its data has forgotten the streams. Each process notices that its own last entries are
 *   gone and publishes again what was accepted from it inside the window.
 * - The deduplication above removes what this hands over twice.
 *
 * In a Cluster a link between two nodes that fails unseen by their clients can still lose a publication: its nodes pass
 * PUBLISH on to one another without acknowledgement.
 */
export class RedisFanout implements Fanout {
  readonly #logger = new Logger(RedisFanout.name);
  readonly #recent: RecentPublications;
  readonly #accepted: AcceptedPublications;
  readonly #subscriptions: RedisSubscriptions;
  readonly #channelPrefix: string;
  readonly #timer: NodeJS.Timeout;
  #pending = 0;
  /** What Redis held when the publishing connection was last lost; undefined once it is known whether it still does. */
  #inDoubt: readonly StreamPosition[] | undefined;
  /** Whether Redis lost its data, and not everything has been published again. */
  #isLost = false;
  #isRepairing = false;
  readonly #corked = new Set<Redis['stream']>();
  #malformed = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  #closing: Promise<void> | undefined;

  static async open(
    options: RedisFanoutOptions,
    handler: PublicationHandler,
    status: RedisFanoutStatus,
  ): Promise<RedisFanout> {
    // No timer per command: it is the silence of a socket that is timed.
    const overrides = {
      autoResubscribe: false,
      commandTimeout: undefined,
      socketTimeout: options.commandTimeoutMs,
    };
    const publisher = await openRedis(options, status.publishing, overrides);
    // PUBLISH reaches every node of a Cluster: it does not matter which one is listened to.
    const subscriber = await openRedisNode(options, status.subscriptions, overrides, publisher);
    return new RedisFanout(options, handler, publisher, subscriber);
  }

  private constructor(
    private readonly options: RedisFanoutOptions,
    private readonly handler: PublicationHandler,
    private readonly publisher: RedisClient,
    subscriber: Redis,
  ) {
    const { keyPrefix, sharded, replayStreams, replayMaxEntries, replayWindowMs, replayMaxBytes } = options;
    this.#channelPrefix = `${keyPrefix}:channel:`;
    this.#recent = new RecentPublications(publisher, {
      keyPrefix,
      streams: replayStreams,
      maxEntries: replayMaxEntries,
      windowMs: replayWindowMs,
    });
    this.#accepted = new AcceptedPublications({ windowMs: replayWindowMs, maxBytes: replayMaxBytes });
    this.#subscriptions = new RedisSubscriptions(
      subscriber,
      { channelPrefix: this.#channelPrefix, sharded },
      {
        onMessage: (envelope) => this.#receive(envelope),
        onRestored: (goodAt) => this.#replay(goodAt),
      },
    );
    publisher.on('close', () => this.#doubt());
    publisher.on('-node', () => this.#doubt());
    publisher.on('ready', () => void this.#repair());
    this.#timer = setInterval(() => this.#check(), options.pingIntervalMs).unref();
  }

  publish(publication: Publication): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(new FanoutClosedError());
    if (this.#pending >= this.options.maxPendingPublishes)
      return Promise.reject(
        new BrokerUnavailableError('redis', `${this.#pending} publications wait for its answer already`),
      );
    return this.#publish(publication);
  }

  subscribe(channel: string): Promise<void> {
    return this.#subscriptions.subscribe(routeOf(channel));
  }

  unsubscribe(channel: string): void {
    this.#subscriptions.unsubscribe(routeOf(channel));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#pending > 0) {
      // Bounded: a socket that says nothing for `commandTimeoutMs` rejects whatever waits for it.
      this.#drained = Promise.withResolvers();
      await this.#drained.promise;
    }
    this.#subscriptions.close();
    await closeRedis(this.publisher);
  }

  async #publish(publication: Publication): Promise<void> {
    const envelope = encode(publication);
    const route = routeOf(publication.channel);
    const isReplayable = publication.id !== undefined;
    this.#pending++;
    try {
      await this.#send(route, envelope, isReplayable);
    } catch (error) {
      this.#doubt();
      if (this.publisher instanceof Cluster) this.publisher.refreshSlotsCache(() => {});
      const { reason, cause } = redisFailure(error);
      throw new BrokerUnavailableError('redis', reason, { cause });
    } finally {
      if (--this.#pending === 0) this.#drained?.resolve();
    }
    if (isReplayable) this.#accepted.add(route, envelope);
  }

  async #send(route: string, envelope: Buffer, isReplayable: boolean): Promise<void> {
    const stream = this.#recent.streamFor(route);
    const connection = nodeOf(this.publisher, stream.slot);
    if (connection === undefined) throw new Error('the Cluster has no node for it now');
    this.#cork(connection);
    const channel = this.#channelPrefix + route;
    // One connection carries these out in this order, so that nobody can have missed it in both places; and what is sent
    // to one channel always takes the same connection.
    await Promise.all([
      isReplayable ? this.#recent.add(stream, envelope, connection) : undefined,
      this.options.sharded ? connection.spublish(channel, envelope) : connection.publish(channel, envelope),
    ]);
  }

  /** Joins the commands of one turn of the event loop into one write. */
  #cork(connection: Redis): void {
    const { stream } = connection;
    if (connection.status !== 'ready' || this.#corked.has(stream)) return;
    if (this.#corked.size === 0) setImmediate(() => this.#uncork());
    stream.cork();
    this.#corked.add(stream);
  }

  #uncork(): void {
    for (const stream of this.#corked) stream.uncork();
    this.#corked.clear();
  }

  #receive(envelope: Buffer): void {
    const publication = decodePublication(envelope);
    if (publication === undefined) this.#malformed++;
    else this.handler(publication);
  }

  async #replay(goodAt: number): Promise<void> {
    const awayMs = Math.round(performance.now() - goodAt);
    const { replayWindowMs } = this.options;
    if (awayMs > replayWindowMs)
      this.#logger.error(
        `was cut off for ${awayMs} ms; what was published before the last ${replayWindowMs} ms is lost`,
      );
    let handedOver = 0;
    await this.#recent.readSince(goodAt, (envelope, addedAt) => {
      const publication = decodePublication(envelope);
      if (publication === undefined) return;
      const wantedSince = this.#subscriptions.wantedSince(routeOf(publication.channel));
      if (wantedSince === undefined || addedAt + CLOCK_MARGIN_MS < wantedSince) return;
      this.handler(publication);
      handedOver++;
    });
    this.#logger.log(`subscribed again after ${awayMs} ms, handed over ${handedOver} recent publication(s)`);
  }

  #check(): void {
    void this.#subscriptions.check();
    void this.#repair();
    this.#recent.trim().catch(() => {}); // the next call trims what this one could not
    if (this.#malformed > 0)
      this.#logger.warn(`dropped ${this.#malformed} message(s) that are no publications`);
    this.#malformed = 0;
  }

  #doubt(): void {
    this.#inDoubt ??= this.#recent.positions();
  }

  /** Finds out whether Redis still has what it took, and publishes again what it may have lost. */
  async #repair(): Promise<void> {
    if (this.#isRepairing || this.#inDoubt === undefined || this.publisher.status !== 'ready') return;
    this.#isRepairing = true;
    const inDoubt = this.#inDoubt;
    this.#inDoubt = undefined; // from here on a further loss is a doubt of its own
    try {
      this.#isLost ||= !(await this.#recent.holds(inDoubt));
      if (this.#isLost) await this.#publishAgain();
      this.#isLost = false;
    } catch {
      this.#inDoubt = inDoubt; // `#check` or the next connection tries again
    } finally {
      this.#isRepairing = false;
    }
  }

  async #publishAgain(): Promise<void> {
    const accepted = this.#accepted.recent();
    for (let start = 0; start < accepted.length; start += REPAIR_BATCH) {
      const batch = accepted.slice(start, start + REPAIR_BATCH);
      await Promise.all(batch.map(({ route, envelope }) => this.#send(route, envelope, true)));
    }
    this.#logger.warn(`redis lost its data; published the last ${accepted.length} publication(s) again`);
  }
}

function encode(publication: Publication): Buffer {
  try {
    return encodePublication(publication);
  } catch (cause) {
    throw new RecordRefusedError('the id or the channel is too long, or a time is out of range', { cause });
  }
}
