import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import {
  backoffMs,
  CancellableSleep,
  every,
  jittered,
  Semaphore,
  settlesWithin,
} from '../../../../async/index.js';
import { UndeliverableRecordError, toMessage, type ScheduledMessage } from '../../../../message/index.js';
import type { DelayedLaneOptions } from '../../../lanes/delayed-lane.options.js';
import type { ProgressReporter } from '../../../bus.port.js';
import { RepeatedWork } from '../../../progress-reports.js';
import type { ScheduleLedger } from '../../../schedule/schedule-ledger.port.js';
import type { DueHandler, ScheduleConsumer } from '../../../schedule/schedule.port.js';
import type { PulsarScheduleOptions } from '../pulsar.options.js';
import { recordOf } from '../record.js';
import type { PulsarConsumer, PulsarMessage } from '../transport.js';

export type DueConsumerOptions = PulsarScheduleOptions &
  Pick<DelayedLaneOptions, 'leaseMs' | 'retryInitialMs' | 'retryMaxMs' | 'closeTimeoutMs'> & {
    readonly now?: () => number;
  };

export interface DueConsumerDependencies {
  readonly consume: (onMessage: (copy: PulsarMessage) => void) => PulsarConsumer;
  readonly ledger: ScheduleLedger;
  /** Sends a copy that Pulsar delivers when the message is due. */
  readonly send: (message: ScheduledMessage) => Promise<void>;
  readonly handler: DueHandler;
  readonly progress?: ProgressReporter | undefined;
}

interface Claimed {
  readonly message: ScheduledMessage;
  readonly lease: number;
}

/** A copy that arrives earlier than this before its due time is sent to Pulsar again, and not held in memory. */
const MAX_HOLD_MS = 30_000;
/** A message is late by this much more than the outage of the ledger. */
const MAX_CLAIM_PAUSE_MS = 1_000;

/**
 * Receives copies of delayed messages from Pulsar, asks the ledger which of them count, and hands those over.
 *
 * Each copy is processed independently, by `#process`. At the end it is acknowledged, or negatively acknowledged, or
 * left to the broker because this consumer is closing. Until then it is unacknowledged, and does not block other
 * copies.
 */
export class DueConsumer implements ScheduleConsumer {
  readonly #logger = new Logger('PulsarSchedule');
  readonly #consumer: PulsarConsumer;
  readonly #semaphore: Semaphore;
  readonly #pauses = new CancellableSleep();
  readonly #now: () => number;
  readonly #claims: RepeatedWork;
  readonly #settlements: RepeatedWork;
  readonly #processing = new Set<Promise<void>>();
  /** Ids of the messages whose copies are being processed. */
  readonly #held = new Set<string>();
  #closed: Promise<void> | undefined;

  constructor(
    concurrency: number,
    private readonly options: DueConsumerOptions,
    private readonly dependencies: DueConsumerDependencies,
  ) {
    this.#now = options.now ?? Date.now;
    this.#semaphore = new Semaphore(concurrency);
    this.#claims = new RepeatedWork(dependencies.progress, 'claiming due messages');
    this.#settlements = new RepeatedWork(dependencies.progress, 'settling due messages');
    this.#consumer = dependencies.consume((copy) => {
      const processing = this.#process(copy)
        // After an unexpected error the copy stays unacknowledged, so that the message is not lost.
        .catch((error: unknown) => this.#logger.error(error))
        .finally(() => this.#processing.delete(processing));
      this.#processing.add(processing);
    });
  }

  /** Resolves after the first attempt to subscribe, whether it succeeded or failed. After a failure it keeps trying. */
  get attempted(): Promise<unknown> {
    return this.#consumer.attempted;
  }

  reconnect(overdue: string): boolean {
    return !this.#held.has(overdue) && this.#consumer.reconnect(`message ${overdue} is overdue`);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const { closeTimeoutMs, topic } = this.options;
    this.#pauses.cancel();
    if (!(await settlesWithin(closeTimeoutMs, Promise.all(this.#processing)))) {
      this.#logger.warn(
        `topic ${topic}: ${this.#processing.size} message(s) were still being handed over ${closeTimeoutMs} ms after ` +
          'the start of the shutdown; they will be handed over again',
      );
    }
    await this.#consumer.close();
  }

  async #process(copy: PulsarMessage): Promise<void> {
    const message = this.#decode(copy);
    if (!message) return;
    this.#held.add(message.id);
    try {
      await this.#deliver(copy, message);
    } finally {
      this.#held.delete(message.id);
    }
  }

  async #deliver(copy: PulsarMessage, message: ScheduledMessage): Promise<void> {
    if (!(await this.#untilDue(copy, message))) return;
    const claimed = await this.#claim(copy, message);
    if (!claimed) return;
    if (!(await this.#handOver(claimed))) return this.#rejected(copy, claimed);
    // Repeated until it succeeds, because a message that was handed over and not settled would be handed over again.
    if (await this.#retry(() => this.dependencies.ledger.settle(message.id)))
      this.#consumer.acknowledge(copy);
  }

  #decode(copy: PulsarMessage): ScheduledMessage | undefined {
    const { topic, foreignRecords } = this.options;
    try {
      const message = toMessage(recordOf(topic, copy), foreignRecords);
      // Other programs may give the due time to the broker only.
      return { ...message, dueAt: message.dueAt ?? this.#now() };
    } catch (error) {
      if (!(error instanceof UndeliverableRecordError)) throw error;
      this.#logger.warn(`topic ${topic}: skipped record ${copy.position}: ${error.message}`);
      this.#consumer.acknowledge(copy);
      return undefined;
    }
  }

  /**
   * Waits until the message is due. The broker delivers a copy up to one tick early, and much earlier if it does not
   * support delayed delivery.
   *
   * @returns false if there is nothing left to do for the copy
   */
  async #untilDue(copy: PulsarMessage, message: ScheduledMessage): Promise<boolean> {
    const isFarAhead = message.dueAt - this.#now() > MAX_HOLD_MS;
    // A loop, because a timer may fire slightly early.
    for (let ms; (ms = message.dueAt - this.#now()) > 0;) {
      if (!(await this.#pauses.sleep(Math.min(ms, MAX_HOLD_MS)))) return false;
      if (!isFarAhead) continue;
      await this.#replace(copy, message);
      return false;
    }
    return true;
  }

  /**
   * Claims the message in the ledger, when the semaphore grants a slot.
   *
   * @returns the message, with the slot still held; undefined if there is nothing left to do for the copy
   */
  async #claim(copy: PulsarMessage, message: ScheduledMessage): Promise<Claimed | undefined> {
    const { ledger } = this.dependencies;
    const token = randomUUID();
    for (let failures = 0, waitMs = 0; ;) {
      if (!(await this.#pauses.sleep(waitMs))) return undefined;
      await this.#semaphore.acquire();
      const claim = this.#pauses.isCancelled
        ? undefined
        : await ledger.claim(message.id, token).catch((error: unknown) => {
            this.#claims.failed(error);
            this.#logger.debug(`message ${message.id}: cannot be claimed, retrying: ${String(error)}`);
          });
      if (claim !== undefined) this.#claims.succeeded();
      if (claim?.outcome === 'claimed' && !this.#pauses.isCancelled) {
        return { message: { ...message, dueAt: claim.dueAt ?? message.dueAt }, lease: claim.lease };
      }
      this.#semaphore.release();
      switch (claim?.outcome) {
        case undefined:
          waitMs = Math.min(this.#pauseMs(++failures), MAX_CLAIM_PAUSE_MS);
          break;
        case 'gone':
          this.#consumer.acknowledge(copy);
          return undefined;
        case 'leased':
          waitMs = claim.waitMs;
          break;
        case 'claimed':
          // Closed in the meantime. The message was not handed over, so let another process claim it at once.
          await ledger.release(message.id, claim.lease).catch(() => {});
          return undefined;
        case 'early': {
          const { dueAt } = claim;
          // Two clocks decide when the message is due: the later time counts.
          waitMs = Math.max(claim.waitMs, dueAt - this.#now());
          if (waitMs <= MAX_HOLD_MS) break;
          await this.#replace(copy, { ...message, dueAt });
          return undefined;
        }
      }
    }
  }

  /** Sends a copy for the right time, and acknowledges the one that came at the wrong time. */
  async #replace(copy: PulsarMessage, message: ScheduledMessage): Promise<void> {
    if (await this.#retry(() => this.dependencies.send(message))) this.#consumer.acknowledge(copy);
  }

  /** @returns whether the handler resolved */
  async #handOver({ message, lease }: Claimed): Promise<boolean> {
    const { ledger, handler } = this.dependencies;
    const extension = every('extension of the lease of a delayed message', this.options.leaseMs / 3, () => {
      // If this fails, the lease may expire. Then the message may be handed over twice, but it is not lost.
      ledger.extend(message.id, lease).catch(() => {});
    });
    try {
      await handler(message);
      return true;
    } catch (error) {
      this.#logger.warn(
        `message ${message.id} to ${message.channel} was not handed over and will be retried: ${String(error)}`,
      );
      return false;
    } finally {
      clearInterval(extension);
      this.#semaphore.release();
    }
  }

  /** Makes Pulsar deliver the copy again after a pause, or makes it a dead letter after too many deliveries. */
  async #rejected(copy: PulsarMessage, { message: { id }, lease }: Claimed): Promise<void> {
    const { maxDeliveries } = this.options;
    const isLast = maxDeliveries > 0 && copy.redeliveryCount >= maxDeliveries - 1;
    // If this fails, the lease expires.
    await this.dependencies.ledger[isLast ? 'giveUp' : 'release'](id, lease).catch(() => {});
    const pauseMs = isLast ? 0 : this.#pauseMs(copy.redeliveryCount + 1);
    if (await this.#pauses.sleep(pauseMs)) this.#consumer.negativeAcknowledge(copy);
  }

  /**
   * Repeats the action until it succeeds, or until this is closed; in that case it is tried once. @returns whether it
   * succeeded
   */
  async #retry(action: () => Promise<void>): Promise<boolean> {
    for (let failures = 1; ; failures++) {
      try {
        await action();
        this.#settlements.succeeded();
        return true;
      } catch (error) {
        this.#settlements.failed(error);
        this.#logger.debug(`failed, retrying: ${String(error)}`);
        if (!(await this.#pauses.sleep(this.#pauseMs(failures)))) return false;
      }
    }
  }

  #pauseMs(attempt: number): number {
    const { retryInitialMs, retryMaxMs } = this.options;
    return jittered(backoffMs(attempt, retryInitialMs, retryMaxMs), 0.25);
  }
}
