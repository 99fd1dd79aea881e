import { Logger } from '@nestjs/common';
import { Cluster } from 'ioredis';
import { BrokerUnavailableError } from '../../../bus/index.js';
import { closeRedis, redisFailure, type RedisClient } from '../../../redis/index.js';
import { FanoutClosedError } from '../../delivery.errors.js';
import type { RedisFanoutOptions } from '../../delivery.options.js';
import { newEpoch } from '../../history/epoch.js';
import { ResendBuffer } from './resend-buffer.js';
import { generationKey } from './keys.js';
import { PublishBatcher } from './publish-batcher.js';
import { ReplayStreams, type Partition, type ReplayPosition } from './replay-streams.js';
import { again, type RedisPublication } from './redis-publication.js';

/** Publications sent again at once. */
const REPAIR_BATCH = 200;
/** Several processes notice one loss, each in its own time. */
const ONE_LOSS_MS = 5_000;

/**
 * The connection over which this process publishes. A Redis that restarted without its data, or whose replica took over
 * without the last of them, has forgotten what it had taken. Each process notices that its own last entries in the streams
 * of recent publications are gone, and sends again what was accepted from it inside the window.
 */
export class RedisPublisher {
  readonly #logger = new Logger('RedisFanout');
  readonly recent: ReplayStreams;
  readonly #outgoing: PublishBatcher;
  readonly #accepted: ResendBuffer;
  #pending = 0;
  /** What Redis held when the connection was last lost; undefined once it is known whether it still does. */
  #inDoubt: readonly ReplayPosition[] | undefined;
  /** Whether Redis lost its data, and not everything has been sent again. */
  #isLost = false;
  #isRepairing = false;
  #drained: PromiseWithResolvers<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly options: RedisFanoutOptions,
    readonly client: RedisClient,
  ) {
    const { keyPrefix, replayStreams, replayMaxEntries, replayWindowMs, replayMaxBytes } = options;
    this.recent = new ReplayStreams(client, {
      keyPrefix,
      streams: replayStreams,
      maxEntries: replayMaxEntries,
      windowMs: replayWindowMs,
    });
    const { maxPerStream } = this.recent;
    this.#outgoing = new PublishBatcher(client, { sharded: options.sharded, maxPerStream });
    this.#accepted = new ResendBuffer({ windowMs: replayWindowMs, maxBytes: replayMaxBytes });
    client.on('close', () => this.#doubt());
    client.on('-node', () => this.#doubt());
    client.on('ready', () => void this.repair());
  }

  /**
   * Answers the place in the history, `offset:epoch`, or nothing.
   * @throws {BrokerUnavailableError}
   * @throws {FanoutClosedError}
   */
  submit(submission: RedisPublication): Promise<string> {
    if (this.#closing !== undefined) return Promise.reject(new FanoutClosedError());
    if (this.#pending >= this.options.maxPendingPublishes)
      return Promise.reject(
        new BrokerUnavailableError('redis', `${this.#pending} publications wait for its answer already`),
      );
    return this.#submit(submission);
  }

  /**
   * Waits for a call that publishes nothing.
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

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Finds out whether Redis still has what it took, and sends again what it may have lost. Called regularly. */
  async repair(): Promise<void> {
    if (this.#isRepairing || this.#inDoubt === undefined || this.client.status !== 'ready') return;
    this.#isRepairing = true;
    const inDoubt = this.#inDoubt;
    this.#inDoubt = undefined; // from here on a further loss is a doubt of its own
    try {
      this.#isLost ||= !(await this.recent.holds(inDoubt));
      if (this.#isLost) await this.#makeUp();
      this.#isLost = false;
    } catch {
      this.#inDoubt = inDoubt; // the next call or connection tries again
    } finally {
      this.#isRepairing = false;
    }
  }

  async #close(): Promise<void> {
    if (this.#pending > 0) {
      // Bounded: a socket that says nothing for `commandTimeoutMs` rejects whatever waits for it.
      this.#drained = Promise.withResolvers();
      await this.#drained.promise;
    }
    await closeRedis(this.client);
  }

  async #submit(submission: RedisPublication): Promise<string> {
    this.#pending++;
    try {
      const place = await this.#outgoing.send(submission);
      if (submission.isRepeatable) this.#accepted.add(submission, place);
      return place;
    } catch (error) {
      this.#doubt();
      if (this.client instanceof Cluster) this.client.refreshSlotsCache(() => {});
      throw unavailable(error);
    } finally {
      if (--this.#pending === 0) this.#drained?.resolve();
    }
  }

  #doubt(): void {
    this.#inDoubt ??= this.recent.positions();
  }

  async #makeUp(): Promise<void> {
    await Promise.all(this.recent.partitions.map((partition) => this.#beginGeneration(partition)));
    const accepted = this.#accepted.recent();
    const rememberMs = 2 * this.options.replayWindowMs;
    for (let start = 0; start < accepted.length; start += REPAIR_BATCH) {
      const batch = accepted.slice(start, start + REPAIR_BATCH);
      await Promise.all(
        batch.map(({ submission, place }) => this.#outgoing.send(again(submission, place, rememberMs))),
      );
    }
    this.#logger.warn(`redis lost data; published the last ${accepted.length} publication(s) again`);
  }

  /**
   * Histories of an earlier generation begin anew: the offsets that were lost would otherwise be given a second time, to other
   * publications, and clients that had the first ones would not notice.
   */
  async #beginGeneration(partition: Partition): Promise<void> {
    const isFirst = await this.client.set(`${partition.tag}:loss`, '1', 'PX', ONE_LOSS_MS, 'NX');
    if (isFirst !== null) await this.client.set(generationKey(partition), newEpoch());
  }
}

function unavailable(error: unknown): BrokerUnavailableError {
  const { reason, cause } = redisFailure(error);
  return new BrokerUnavailableError('redis', reason, { cause });
}
