import { Cluster } from 'ioredis';
import { every, inBackground } from '../../../async/index.js';
import { RecordRefusedError } from '../../../bus/index.js';
import { BrokerStatus } from '../../../metrics/index.js';
import { openRedis, openRedisNode } from '../../../redis/index.js';
import { routeOf } from '../../channels/address.js';
import type { RedisFanoutOptions } from '../../delivery.options.js';
import type { Fanout, InterruptionHandler, PublicationHandler } from '../../fanout.port.js';
import { encodePublication } from '../../publications/publication-envelope.js';
import type { Publication } from '../../publications/publication.js';
import { RedisListener } from './listener.js';
import { channelName, type Partition } from './partition.js';
import type { ProbeEvents } from './probe.js';
import { RedisPublisher } from './publisher.js';

const NO_EVENTS: ProbeEvents = { onEcho: () => {}, onLost: () => {} };

/** One status for each role, because each has its own connection. */
export interface RedisFanoutStatus {
  readonly publishing: BrokerStatus;
  readonly subscriptions: BrokerStatus;
}

/**
 * Fan-out over Redis pub/sub. Pub/sub has no memory: a process that is disconnected for a moment misses what is
 * published. So a publication with an id is also added to a replay stream, before it is published. Three mechanisms
 * together prevent the loss of accepted publications:
 *
 * - A process that lost its subscriptions first subscribes again, and then reads the replay streams from the last time
 *   at which nothing can have been missed. It receives what is accepted after it has subscribed, and holds that back in
 *   the meantime. What was accepted before is in a stream.
 * - After Redis has lost data, the publications of the last seconds are sent to it again, see {@link RedisPublisher}.
 * - The deduplication above removes copies.
 *
 * In a Cluster each partition has a connection of its own, to the node that has its stream. PUBLISH reaches the other
 * nodes as well, but they forward it to one another without acknowledgement: a process that subscribed there would miss
 * publications while a link between two nodes is down. A sharded publication does not leave its node.
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
    probes: ProbeEvents = NO_EVENTS,
  ): Promise<RedisFanout> {
    // No timer per command: the silence of the socket is timed instead.
    const overrides = {
      autoResubscribe: false,
      commandTimeout: undefined,
      socketTimeout: options.commandTimeoutMs,
    };
    const client = await openRedis(options, status.publishing, overrides);
    const publisher = new RedisPublisher(options, client);
    const { partitions } = publisher.replayStreams;
    const groups = client instanceof Cluster ? partitions.map((partition) => [partition]) : [partitions];
    const statuses = sharesOf(status.subscriptions, 2 * groups.length);
    // A separate status: a connection that is up does not prove that publications arrive over it.
    const echoStatuses = statuses.slice(groups.length);
    const listeners = await Promise.all(
      groups.map(async (group, index) => {
        const { slot } = group[0]!;
        const subscriber = await openRedisNode(options, statuses[index]!, overrides, client, slot);
        const echoStatus = echoStatuses[index]!;
        const context = { publisher, handler, onInterrupted, probes, echoStatus };
        return new RedisListener(subscriber, group, options, context);
      }),
    );
    return new RedisFanout(publisher, listeners, options.pingIntervalMs);
  }

  private constructor(
    /** Also used by the other stores in the same Redis. */
    readonly publisher: RedisPublisher,
    /** One for all partitions, or one for each. */
    private readonly listeners: readonly RedisListener[],
    checkIntervalMs: number,
  ) {
    this.#byPartition = new Map(
      listeners.flatMap((listener) => listener.partitions.map((partition) => [partition, listener])),
    );
    this.#timer = every('check of the fan-out', checkIntervalMs, () => this.#check()).unref();
  }

  async publish(publication: Publication): Promise<void> {
    const route = routeOf(publication.channel);
    const partition = this.publisher.replayStreams.partitionOf(route);
    await this.publisher.publish({
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
    return this.#byPartition.get(this.publisher.replayStreams.partitionOf(route))!;
  }

  #check(): void {
    for (const listener of this.listeners) listener.check();
    inBackground('repair of the fan-out', () => this.publisher.repair());
    this.publisher.replayStreams.trim().catch(() => {}); // the next call trims what this one could not
  }
}

/** Returns a status for each of several connections. The given status is up when all of them are. */
function sharesOf(status: BrokerStatus, count: number): readonly BrokerStatus[] {
  const shares = Array.from({ length: count }, () => new BrokerStatus(status.name, () => update()));
  const update = (): void => {
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
