import { Cluster } from 'ioredis';
import { RecordRefusedError } from '../../../bus/index.js';
import { BrokerStatus } from '../../../metrics/index.js';
import { openRedis, openRedisNode } from '../../../redis/index.js';
import { routeOf } from '../../channels/address.js';
import type { RedisFanoutOptions } from '../../delivery.options.js';
import type { Fanout, InterruptionHandler, PublicationHandler } from '../../fanout.port.js';
import { encodePublication } from '../../publications/publication-envelope.js';
import type { Publication } from '../../publications/publication.js';
import { RedisListener } from './listener.js';
import { RedisPublisher } from './publisher.js';
import { channelName, type Partition } from './replay-streams.js';

/** One for each role: they fail apart. */
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
 * In a Cluster each partition is listened to on the node that has its stream, over a connection of its own. PUBLISH reaches the other
 * nodes too, but they pass it on to one another without acknowledgement: whoever listened there would miss what is published
 * while a link between two of them is down. Sharded, a publication does not leave its node.
 */
export class RedisFanout implements Fanout {
  readonly repeats = true;
  readonly #byPartition: ReadonlyMap<Partition, RedisListener>;
  readonly #timer: NodeJS.Timeout;
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
    const publisher = new RedisPublisher(options, client);
    const { recent } = publisher;
    const isApart = client instanceof Cluster;
    const parts = isApart ? recent.partitions.map((partition) => [partition]) : [recent.partitions];
    const statuses = sharesOf(status.subscriptions, parts.length);
    const listeners = await Promise.all(
      parts.map(async (partitions, index) => {
        const { slot } = partitions[0]!;
        const subscriber = await openRedisNode(options, statuses[index]!, overrides, client, slot);
        return new RedisListener(subscriber, partitions, options, { recent, handler, onInterrupted });
      }),
    );
    return new RedisFanout(publisher, listeners, options.pingIntervalMs);
  }

  private constructor(
    /** For what else is kept in the same Redis. */
    readonly publisher: RedisPublisher,
    /** One for all partitions, or one for each. */
    private readonly listeners: readonly RedisListener[],
    checkIntervalMs: number,
  ) {
    this.#byPartition = new Map(
      listeners.flatMap((listener) => listener.partitions.map((partition) => [partition, listener])),
    );
    this.#timer = setInterval(() => this.#check(), checkIntervalMs).unref();
  }

  async publish(publication: Publication): Promise<void> {
    const route = routeOf(publication.channel);
    const partition = this.publisher.recent.partitionOf(route);
    await this.publisher.submit({
      partition,
      channel: channelName(partition, route),
      envelope: encode(publication),
      isRepeatable: publication.id !== undefined,
    });
  }

  subscribe(channel: string): Promise<void> {
    const route = routeOf(channel);
    return this.#listenerOf(route).subscribe(route);
  }

  unsubscribe(channel: string): void {
    const route = routeOf(channel);
    this.#listenerOf(route).unsubscribe(route);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    const published = this.publisher.close();
    for (const listener of this.listeners) listener.close();
    await published;
  }

  #listenerOf(route: string): RedisListener {
    return this.#byPartition.get(this.publisher.recent.partitionOf(route))!;
  }

  #check(): void {
    for (const listener of this.listeners) listener.check();
    void this.publisher.repair();
    this.publisher.recent.trim().catch(() => {}); // the next call trims what this one could not
  }
}

/** Several connections as one, which is up when all of them are. */
function sharesOf(status: BrokerStatus, count: number): readonly BrokerStatus[] {
  const shares = Array.from({ length: count }, () => new BrokerStatus(status.name, () => tell()));
  const tell = (): void => {
    const down = shares.find(({ state }) => state === 'down');
    if (down !== undefined) status.down(down.reason ?? 'no reason given');
    else if (shares.every(({ state }) => state === 'up')) status.up();
  };
  return shares;
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
