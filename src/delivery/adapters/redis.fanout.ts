import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RecordRefusedError } from '../../bus/index.js';
import type { BrokerStatus } from '../../metrics/index.js';
import { openRedis, openRedisNode } from '../../redis/index.js';
import { routeOf } from '../address.js';
import type { RedisFanoutOptions } from '../delivery.options.js';
import type { Fanout, InterruptionHandler, PublicationHandler } from '../fanout.port.js';
import { decodePublication, encodePublication } from '../publication-envelope.js';
import type { Publication } from '../publication.js';
import { HeldBack } from './redis.held-back.js';
import { RedisPublisher } from './redis.publisher.js';
import { CLOCK_MARGIN_MS } from './redis.recent.js';
import { RedisSubscriptions } from './redis.subscriptions.js';

/** One for each connection: they fail apart. */
export interface RedisFanoutStatus {
  readonly publishing: BrokerStatus;
  readonly subscriptions: BrokerStatus;
}

/**
 * Fan-out over Redis pub/sub. Pub/sub alone forgets: whoever is cut off for a moment misses what is sent. So a publication
 * with an id goes to a stream of recent ones too, before it goes out. Three things together let nothing accepted be lost:
 *
 * - A process whose subscriptions were cut off subscribes again first and then reads the streams from the last
 *   moment known to be good. What is accepted after it has subscribed it receives, and holds back meanwhile; what was
 *   accepted before is in a stream.
 * - A Redis that lost data is given again what was accepted of late, see {@link RedisPublisher}.
 * - The deduplication above removes what this hands over twice.
 *
 * In a Cluster a link between two nodes that fails unseen by their clients can still lose a publication: its nodes pass
 * PUBLISH on to one another without acknowledgement.
 */
export class RedisFanout implements Fanout {
  readonly repeats = true;
  readonly #logger = new Logger(RedisFanout.name);
  readonly #subscriptions: RedisSubscriptions;
  readonly #heldBack: HeldBack;
  readonly #timer: NodeJS.Timeout;
  #malformed = 0;
  #closing: Promise<void> | undefined;

  static async open(
    options: RedisFanoutOptions,
    handler: PublicationHandler,
    status: RedisFanoutStatus,
    onInterrupted: InterruptionHandler = () => {},
  ): Promise<RedisFanout> {
    // No timer per command: it is the silence of a socket that is timed.
    const overrides = {
      autoResubscribe: false,
      commandTimeout: undefined,
      socketTimeout: options.commandTimeoutMs,
    };
    const client = await openRedis(options, status.publishing, overrides);
    // PUBLISH reaches every node of a Cluster: it does not matter which one is listened to.
    const subscriber = await openRedisNode(options, status.subscriptions, overrides, client);
    const publisher = new RedisPublisher(options, client);
    return new RedisFanout(options, publisher, subscriber, handler, onInterrupted);
  }

  private constructor(
    private readonly options: RedisFanoutOptions,
    /** For what else is kept in the same Redis. */
    readonly publisher: RedisPublisher,
    subscriber: Redis,
    private readonly handler: PublicationHandler,
    private readonly onInterrupted: InterruptionHandler,
  ) {
    const { sharded, replayMaxBytes, pingIntervalMs } = options;
    this.#heldBack = new HeldBack(replayMaxBytes, (bytes) => this.#receive(bytes));
    this.#subscriptions = new RedisSubscriptions(
      subscriber,
      { channelPrefix: channelName(options, ''), sharded },
      {
        onMessage: (bytes) => this.#heldBack.take(bytes),
        onReturned: () => this.#heldBack.begin(),
        onRestored: (goodAt) => this.#replay(goodAt),
      },
    );
    this.#timer = setInterval(() => this.#check(), pingIntervalMs).unref();
  }

  async publish(publication: Publication): Promise<void> {
    const route = routeOf(publication.channel);
    const envelope = encode(publication);
    const isRepeatable = publication.id !== undefined;
    const { recent } = this.publisher;
    const channel = channelName(this.options, route);
    await this.publisher.submit({
      route,
      bytes: envelope.length,
      isRepeatable,
      send: async (connection, partition) => {
        // One connection carries these out in this order, so that nobody can have missed it in both places.
        await Promise.all([
          isRepeatable ? recent.add(partition, envelope, connection) : undefined,
          this.options.sharded
            ? connection.spublish(channel, envelope)
            : connection.publish(channel, envelope),
        ]);
      },
    });
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
    const published = this.publisher.close();
    this.#subscriptions.close();
    await published;
  }

  #receive(bytes: Buffer): void {
    const publication = decodePublication(bytes);
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
    await this.publisher.recent.readSince(goodAt, (envelope, addedAt) => {
      const publication = decodePublication(envelope);
      if (publication === undefined) return;
      const wantedSince = this.#subscriptions.wantedSince(routeOf(publication.channel));
      if (wantedSince === undefined || addedAt + CLOCK_MARGIN_MS < wantedSince) return;
      this.handler(publication);
      handedOver++;
    });
    this.#heldBack.end();
    this.#logger.log(`subscribed again after ${awayMs} ms, handed over ${handedOver} recent publication(s)`);
    this.onInterrupted(() => true);
  }

  #check(): void {
    void this.#subscriptions.check();
    void this.publisher.repair();
    this.publisher.recent.trim().catch(() => {}); // the next call trims what this one could not
    if (this.#malformed > 0)
      this.#logger.warn(`dropped ${this.#malformed} message(s) that are no publications`);
    this.#malformed = 0;
  }
}

/** The Redis channel of a route. */
export function channelName({ keyPrefix }: Pick<RedisFanoutOptions, 'keyPrefix'>, route: string): string {
  return `${keyPrefix}:channel:${route}`;
}

/** @throws {RecordRefusedError} */
export function encode(publication: Publication): Buffer {
  try {
    return encodePublication(publication);
  } catch (cause) {
    throw new RecordRefusedError('the id, the channel or the user is too long, or a time is out of range', {
      cause,
    });
  }
}
