import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { inBackground } from '../../../async/index.js';
import type { BrokerStatus } from '../../../metrics/index.js';
import { routeOf } from '../../channels/address.js';
import type { RedisFanoutOptions } from '../../delivery.options.js';
import type { InterruptionHandler, PublicationHandler } from '../../fanout.port.js';
import { decodePublication, envelopesIn } from '../../publications/publication-envelope.js';
import { channelName, type Partition } from './partition.js';
import { FanoutProbe, type ProbeEvents } from './probe.js';
import type { RedisPublisher } from './publisher.js';
import { ReplayBuffer } from './replay-buffer.js';
import { CLOCK_MARGIN_MS, type ReplayStreams } from './replay-streams.js';
import { RedisSubscriptions } from './subscriptions.js';

const PROBE = Buffer.from('probe');

export interface RedisListenerContext {
  readonly publisher: RedisPublisher;
  readonly probes: ProbeEvents;
  /** Reports whether what this process publishes arrives here. */
  readonly echoStatus: BrokerStatus;
  readonly handler: PublicationHandler;
  readonly onInterrupted: InterruptionHandler;
}

/**
 * Receives the publications of some partitions over one connection. After a lost connection it first subscribes again,
 * and then reads the replay streams from the last time at which nothing can have been missed.
 */
export class RedisListener {
  readonly #logger = new Logger('RedisFanout');
  readonly #subscriptions: RedisSubscriptions;
  readonly #buffer: ReplayBuffer;
  readonly #probe: FanoutProbe;
  #malformed = 0;

  constructor(
    private readonly client: Redis,
    readonly partitions: readonly Partition[],
    private readonly options: RedisFanoutOptions,
    private readonly context: RedisListenerContext,
  ) {
    const { replayStreams } = context.publisher;
    const probeRoute = routeIn(partitions, replayStreams);
    const probeChannel = Buffer.from(channelName(replayStreams.partitionOf(probeRoute), probeRoute));
    this.#buffer = new ReplayBuffer(options.replayMaxBytes, (message) => this.#receive(message));
    this.#subscriptions = new RedisSubscriptions(
      client,
      {
        channelOf: (route) => channelName(replayStreams.partitionOf(route), route),
        sharded: options.sharded,
      },
      {
        onMessage: (message, channel) => {
          if (channel.length === probeChannel.length && channel.equals(probeChannel)) this.#probe.echo();
          else this.#buffer.add(message);
        },
        onReconnected: () => this.#buffer.begin(),
        onSubscribed: (completeUntil, isCurrent) => this.#replay(completeUntil, isCurrent),
      },
    );
    this.#probe = this.#startProbe(probeRoute, String(probeChannel));
  }

  subscribe(route: string): Promise<void> {
    return this.#subscriptions.subscribe(route);
  }

  unsubscribe(route: string): void {
    this.#subscriptions.unsubscribe(route);
  }

  /** Checks whether the connection is alive. Called regularly. */
  check(): void {
    inBackground('check of the subscriptions', () => this.#subscriptions.check());
    this.#probe.check();
    if (this.#malformed > 0)
      this.#logger.warn(`dropped ${this.#malformed} message(s) that are not publications`);
    this.#malformed = 0;
  }

  close(): void {
    this.#subscriptions.close();
  }

  #startProbe(route: string, channel: string): FanoutProbe {
    const { publisher, probes, echoStatus } = this.context;
    const partition = publisher.replayStreams.partitionOf(route);
    const path = {
      isOpen: () => publisher.reaches(partition) && this.#subscriptions.isActive(route),
      publish: () => publisher.publish({ partition, channel, envelope: PROBE, isRepeatable: false }),
      reconnect: () => {
        this.client.disconnect(true);
        publisher.reconnect();
      },
    };
    const probe = new FanoutProbe(path, this.options.probeTimeoutMs, echoStatus, probes);
    for (const client of [this.client, publisher.client]) client.on('close', () => probe.forget());
    this.#subscriptions.subscribe(route).catch(() => {}); // rejects if this is closed
    return probe;
  }

  #receive(message: Buffer): void {
    for (const envelope of envelopesIn(message)) {
      const publication = decodePublication(envelope);
      if (publication === undefined) this.#malformed++;
      else this.context.handler(publication);
    }
  }

  async #replay(completeUntil: number, isCurrent: () => boolean): Promise<void> {
    const { publisher, handler, onInterrupted } = this.context;
    const { replayStreams } = publisher;
    const awayMs = Math.round(performance.now() - completeUntil);
    const { replayWindowMs } = this.options;
    if (awayMs > replayWindowMs)
      this.#logger.error(
        `was disconnected for ${awayMs} ms: publications older than ${replayWindowMs} ms are lost to the subscribers here`,
      );
    let replayed = 0;
    await replayStreams.readSince(completeUntil, this.partitions, (envelope, addedAt) => {
      const publication = decodePublication(envelope);
      if (publication === undefined) return;
      const requestedAt = this.#subscriptions.requestedAt(routeOf(publication.channel));
      if (requestedAt === undefined || addedAt + CLOCK_MARGIN_MS < requestedAt) return;
      handler(publication);
      replayed++;
    });
    if (!isCurrent()) return; // the next replay reads older messages than those that are held back
    this.#buffer.end();
    this.#logger.log(`subscribed again after ${awayMs} ms and replayed ${replayed} publication(s)`);
    onInterrupted((channel) => this.partitions.includes(replayStreams.partitionOf(routeOf(channel))));
  }
}

/** Returns a route of this process alone that belongs to one of the partitions. */
function routeIn(partitions: readonly Partition[], replayStreams: ReplayStreams): string {
  const name = `probe:${randomUUID()}`;
  for (let attempt = 0; ; attempt++) {
    const route = `${name}:${attempt}`;
    if (partitions.includes(replayStreams.partitionOf(route))) return route;
  }
}
