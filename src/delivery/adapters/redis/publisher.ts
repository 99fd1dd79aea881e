import { Logger } from '@nestjs/common';
import { Cluster } from 'ioredis';
import { inBackground } from '../../../async/index.js';
import { BrokerUnavailableError } from '../../../bus/index.js';
import { closeRedis, LuaScript, redisFailure, type RedisClient } from '../../../redis/index.js';
import { FanoutClosedError } from '../../delivery.errors.js';
import type { RedisFanoutOptions } from '../../delivery.options.js';
import { newEpoch } from '../../history/epoch.js';
import { nodeOf } from './cluster-nodes.js';
import { generationKey } from './keys.js';
import type { Partition } from './partition.js';
import { PublishBatcher } from './publish-batcher.js';
import { toResend, type RedisPublication } from './redis-publication.js';
import { ReplayStreams, type ReplayPosition } from './replay-streams.js';
import { ResendBuffer } from './resend-buffer.js';

/** Publications that are sent again at a time. */
const RESEND_BATCH = 200;
/** Several processes notice the same loss at different times. Within this time they count as one. */
const ONE_LOSS_MS = 5_000;

/**
 * KEYS: mark of the loss, generation. ARGV: lifetime of the mark in ms, new generation. It is one step: with two, a process whose
 * first one timed out would find its own mark and not store the generation.
 */
const beginGeneration = new LuaScript(`
if redis.call('SET', KEYS[1], '1', 'PX', ARGV[1], 'NX') then redis.call('SET', KEYS[2], ARGV[2]) end
`);

/**
 * The connection over which this process publishes. A Redis that restarted without its data, or whose replica took over without the
 * latest of them, has lost publications that it had accepted. Each process notices that its own last entries in the replay streams are
 * gone, and sends its publications within the window again.
 */
export class RedisPublisher {
  readonly #logger = new Logger('RedisFanout');
  readonly replayStreams: ReplayStreams;
  readonly #batcher: PublishBatcher;
  readonly #sent: ResendBuffer;
  #pending = 0;
  /** The entries that Redis had when the connection was lost. Undefined when it is known whether it still has them. */
  #unverified: readonly ReplayPosition[] | undefined;
  /** Whether Redis has lost data and not everything has been sent again. */
  #isLost = false;
  #isRepairing = false;
  #drained: PromiseWithResolvers<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly options: RedisFanoutOptions,
    readonly client: RedisClient,
  ) {
    const { keyPrefix, replayStreams, replayMaxEntries, replayWindowMs, replayMaxBytes } = options;
    this.replayStreams = new ReplayStreams(client, {
      keyPrefix,
      streams: replayStreams,
      maxEntries: replayMaxEntries,
      windowMs: replayWindowMs,
    });
    const { maxPerStream } = this.replayStreams;
    this.#batcher = new PublishBatcher(client, { sharded: options.sharded, maxPerStream });
    this.#sent = new ResendBuffer({ windowMs: replayWindowMs, maxBytes: replayMaxBytes });
    client.on('close', () => this.#suspectLoss());
    client.on('-node', () => this.#suspectLoss());
    client.on('ready', () => inBackground('repair of the fan-out', () => this.repair()));
  }

  /**
   * Resolves to the position in the history, `offset:epoch`, or to an empty text.
   * @throws {BrokerUnavailableError}
   * @throws {FanoutClosedError}
   */
  publish(publication: RedisPublication): Promise<string> {
    if (this.#closing !== undefined) return Promise.reject(new FanoutClosedError());
    if (this.#pending >= this.options.maxPendingPublishes)
      return Promise.reject(
        new BrokerUnavailableError('redis', `${this.#pending} publications are waiting for a reply already`),
      );
    return this.#publish(publication);
  }

  /**
   * Runs a call that publishes nothing.
   * @throws {BrokerUnavailableError}
   * @throws {FanoutClosedError}
   */
  async call<T>(call: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new FanoutClosedError();
    try {
      return await call(this.client);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Whether there is a connection to the node of the partition. */
  reaches({ slot }: Partition): boolean {
    return nodeOf(this.client, slot)?.status === 'ready';
  }

  /** Opens the connection again, to the server that the Sentinels or the Cluster name now. */
  reconnect(): void {
    if (this.client instanceof Cluster) this.client.refreshSlotsCache(() => {});
    else this.client.disconnect(true);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Checks whether Redis has lost publications, and sends them again if it has. Called regularly. */
  async repair(): Promise<void> {
    if (this.#isRepairing || this.#unverified === undefined || this.client.status !== 'ready') return;
    this.#isRepairing = true;
    const unverified = this.#unverified;
    this.#unverified = undefined; // a loss from here on needs a check of its own
    try {
      this.#isLost ||= !(await this.replayStreams.holds(unverified));
      if (this.#isLost) await this.#resend();
      this.#isLost = false;
    } catch {
      this.#unverified = unverified; // the next call or connection tries again
    } finally {
      this.#isRepairing = false;
    }
  }

  async #close(): Promise<void> {
    if (this.#pending > 0) {
      // The wait is bounded: a socket that is silent for `commandTimeoutMs` rejects all pending calls.
      this.#drained = Promise.withResolvers();
      await this.#drained.promise;
    }
    await closeRedis(this.client);
  }

  async #publish(publication: RedisPublication): Promise<string> {
    this.#pending++;
    try {
      const position = await this.#batcher.send(publication);
      if (publication.isRepeatable) this.#sent.add(publication, position);
      return position;
    } catch (error) {
      this.#suspectLoss();
      if (this.client instanceof Cluster) this.client.refreshSlotsCache(() => {});
      throw unavailable(error);
    } finally {
      if (--this.#pending === 0) this.#drained?.resolve();
    }
  }

  #suspectLoss(): void {
    this.#unverified ??= this.replayStreams.positions();
  }

  async #resend(): Promise<void> {
    await Promise.all(this.replayStreams.partitions.map((partition) => this.#beginGeneration(partition)));
    const sent = this.#sent.recent();
    const rememberMs = 2 * this.options.replayWindowMs;
    for (let start = 0; start < sent.length; start += RESEND_BATCH) {
      const batch = sent.slice(start, start + RESEND_BATCH);
      await Promise.all(
        batch.map(({ publication, position }) =>
          this.#batcher.send(toResend(publication, position, rememberMs)),
        ),
      );
    }
    this.#logger.warn(`Redis lost data: published the last ${sent.length} publication(s) again`);
  }

  /**
   * Invalidates the histories of the earlier generation. Otherwise the lost offsets would be assigned again, to other
   * publications, and clients that have received the first ones would not notice.
   */
  async #beginGeneration(partition: Partition): Promise<void> {
    const keys = [`${partition.tag}:loss`, generationKey(partition)];
    await beginGeneration.run(this.client, keys, [ONE_LOSS_MS, newEpoch()]);
  }
}

function unavailable(error: unknown): BrokerUnavailableError {
  const { reason, cause } = redisFailure(error);
  return new BrokerUnavailableError('redis', reason, { cause });
}
