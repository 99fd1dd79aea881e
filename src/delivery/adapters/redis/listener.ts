import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { routeOf } from '../../channels/address.js';
import type { RedisFanoutOptions } from '../../delivery.options.js';
import type { InterruptionHandler, PublicationHandler } from '../../fanout.port.js';
import { decodePublication, envelopesIn } from '../../publications/publication-envelope.js';
import { ReplayBuffer } from './replay-buffer.js';
import { channelName, CLOCK_MARGIN_MS, type Partition, type ReplayStreams } from './replay-streams.js';
import { RedisSubscriptions } from './subscriptions.js';

export interface RedisListenerContext {
  readonly recent: ReplayStreams;
  readonly handler: PublicationHandler;
  readonly onInterrupted: InterruptionHandler;
}

/**
 * Hears what is published in some of the partitions, over one connection. After that was cut off it subscribes again first and
 * then reads the streams of recent publications from the last moment known to be good.
 */
export class RedisListener {
  readonly #logger = new Logger('RedisFanout');
  readonly #subscriptions: RedisSubscriptions;
  readonly #heldBack: ReplayBuffer;
  #malformed = 0;

  constructor(
    client: Redis,
    readonly partitions: readonly Partition[],
    private readonly options: RedisFanoutOptions,
    private readonly context: RedisListenerContext,
  ) {
    const { recent } = context;
    this.#heldBack = new ReplayBuffer(options.replayMaxBytes, (bytes) => this.#receive(bytes));
    this.#subscriptions = new RedisSubscriptions(
      client,
      { channelOf: (route) => channelName(recent.partitionOf(route), route), sharded: options.sharded },
      {
        onMessage: (bytes) => this.#heldBack.take(bytes),
        onReturned: () => this.#heldBack.begin(),
        onRestored: (goodAt, isCurrent) => this.#replay(goodAt, isCurrent),
      },
    );
  }

  subscribe(route: string): Promise<void> {
    return this.#subscriptions.subscribe(route);
  }

  unsubscribe(route: string): void {
    this.#subscriptions.unsubscribe(route);
  }

  /** Finds out whether the connection is alive. Called regularly. */
  check(): void {
    void this.#subscriptions.check();
    if (this.#malformed > 0)
      this.#logger.warn(`dropped ${this.#malformed} message(s) that are no publications`);
    this.#malformed = 0;
  }

  close(): void {
    this.#subscriptions.close();
  }

  #receive(message: Buffer): void {
    for (const envelope of envelopesIn(message)) {
      const publication = decodePublication(envelope);
      if (publication === undefined) this.#malformed++;
      else this.context.handler(publication);
    }
  }

  async #replay(goodAt: number, isCurrent: () => boolean): Promise<void> {
    const { recent, handler, onInterrupted } = this.context;
    const awayMs = Math.round(performance.now() - goodAt);
    const { replayWindowMs } = this.options;
    if (awayMs > replayWindowMs)
      this.#logger.error(
        `was cut off for ${awayMs} ms; what was published before the last ${replayWindowMs} ms is lost`,
      );
    let handedOver = 0;
    await recent.readSince(goodAt, this.partitions, (envelope, addedAt) => {
      const publication = decodePublication(envelope);
      if (publication === undefined) return;
      const wantedSince = this.#subscriptions.wantedSince(routeOf(publication.channel));
      if (wantedSince === undefined || addedAt + CLOCK_MARGIN_MS < wantedSince) return;
      handler(publication);
      handedOver++;
    });
    if (!isCurrent()) return; // what is held back is newer than what the next replay brings
    this.#heldBack.end();
    this.#logger.log(`subscribed again after ${awayMs} ms, handed over ${handedOver} recent publication(s)`);
    onInterrupted((channel) => this.partitions.includes(recent.partitionOf(routeOf(channel))));
  }
}
