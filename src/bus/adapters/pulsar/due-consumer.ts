import { Logger } from '@nestjs/common';
import { UndeliverableRecordError, toMessage, type ScheduledMessage } from '../../../message/index.js';
import type { DelayedLaneOptions } from '../../lanes/delayed-lane.options.js';
import type { ScheduleLedger } from '../../schedule/schedule-ledger.port.js';
import type { DueHandler, ScheduleConsumer } from '../../schedule/schedule.port.js';
import { backoffMs, settlesWithin, Semaphore, CancellableSleep } from '../../../async/index.js';
import type { PulsarScheduleOptions } from './pulsar.options.js';
import { recordOf } from './record.js';
import type { PulsarConsumer, PulsarMessage } from './transport.js';

export type DueConsumerOptions = PulsarScheduleOptions &
  Pick<DelayedLaneOptions, 'leaseMs' | 'retryInitialMs' | 'retryMaxMs' | 'closeTimeoutMs'> & {
    readonly now?: () => number;
  };

export interface DueConsumerParts {
  readonly consume: (onMessage: (copy: PulsarMessage) => void) => PulsarConsumer;
  readonly ledger: ScheduleLedger;
  /** Sends a copy that is to be delivered when the message is due. */
  readonly send: (message: ScheduledMessage) => Promise<void>;
  readonly handler: DueHandler;
}

interface Claimed {
  readonly message: ScheduledMessage;
  readonly lease: number;
}

/** A copy that comes earlier than this ahead of its time is sent anew rather than held. */
const LONGEST_HOLD_MS = 30_000;

/**
 * Takes copies of delayed messages from Pulsar, asks the ledger which of them count, and hands those over.
 *
 * Each copy has its own way through `#carry`, at whose end it is acknowledged, refused, or left to the broker because this
 * is closing. Until then it is in hand, unacknowledged: held without blocking the others.
 */
export class DueConsumer implements ScheduleConsumer {
  readonly #logger = new Logger('PulsarSchedule');
  readonly #consumer: PulsarConsumer;
  readonly #semaphore: Semaphore;
  readonly #pauses = new CancellableSleep();
  readonly #now: () => number;
  readonly #carried = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(
    concurrency: number,
    private readonly options: DueConsumerOptions,
    private readonly parts: DueConsumerParts,
  ) {
    this.#now = options.now ?? Date.now;
    this.#semaphore = new Semaphore(concurrency);
    this.#consumer = parts.consume((copy) => {
      const carried = this.#carry(copy)
        // It stays unacknowledged, so that nothing is lost by a defect.
        .catch((error: unknown) => this.#logger.error(error))
        .finally(() => this.#carried.delete(carried));
      this.#carried.add(carried);
    });
  }

  /** Resolves when it takes messages, or when it turned out that Pulsar does not answer: it then takes them as soon as it does. */
  get decided(): Promise<unknown> {
    return this.#consumer.decided;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#pauses.cancel();
    if (!(await settlesWithin(this.options.closeTimeoutMs, Promise.all(this.#carried)))) {
      this.#logger.warn(`${this.#carried.size} messages were still being handed over; they will come again`);
    }
    await this.#consumer.close();
  }

  async #carry(copy: PulsarMessage): Promise<void> {
    const message = this.#decode(copy);
    if (!message || !(await this.#untilDue(copy, message))) return;
    const claimed = await this.#claim(copy, message);
    if (!claimed) return;
    if (!(await this.#handOver(claimed))) return this.#refuse(copy, claimed);
    // Insists, because what was handed over and is not settled comes twice.
    if (await this.#insist(() => this.parts.ledger.settle(message.id))) this.#consumer.acknowledge(copy);
  }

  #decode(copy: PulsarMessage): ScheduledMessage | undefined {
    try {
      const message = toMessage(recordOf(this.options.topic, copy), this.options.foreignRecords);
      // Another program's message may say its time to the broker only.
      return { ...message, dueAt: message.dueAt ?? this.#now() };
    } catch (error) {
      if (!(error instanceof UndeliverableRecordError)) throw error;
      this.#logger.warn(`skipped record ${this.options.topic}/${copy.position}: ${error.message}`);
      this.#consumer.acknowledge(copy);
      return undefined;
    }
  }

  /**
   * The broker delivers up to a tick too early, and much too early where it does not delay at all.
   *
   * @returns false if nothing is left to do with the copy
   */
  async #untilDue(copy: PulsarMessage, message: ScheduledMessage): Promise<boolean> {
    const isFarAhead = message.dueAt - this.#now() > LONGEST_HOLD_MS;
    // A timer may fire a moment before its time.
    for (let ms; (ms = message.dueAt - this.#now()) > 0;) {
      if (!(await this.#pauses.sleep(Math.min(ms, LONGEST_HOLD_MS)))) return false;
      if (!isFarAhead) continue;
      await this.#replace(copy, message);
      return false;
    }
    return true;
  }

  /** @returns what is to be handed over now, with a place taken for it; undefined if nothing is left to do with the copy */
  async #claim(copy: PulsarMessage, message: ScheduledMessage): Promise<Claimed | undefined> {
    for (let failures = 0, waitMs = 0; ;) {
      if (!(await this.#pauses.sleep(waitMs))) return undefined;
      await this.#semaphore.acquire();
      const claim = this.#pauses.isCancelled
        ? undefined
        : await this.parts.ledger.claim(message.id).catch((error: unknown) => {
            this.#logger.debug(`${message.id} could not be claimed: ${String(error)}`);
          });
      if (claim?.outcome === 'claimed' && !this.#pauses.isCancelled) {
        return { message: { ...message, dueAt: claim.dueAt ?? message.dueAt }, lease: claim.lease };
      }
      this.#semaphore.release();
      switch (claim?.outcome) {
        case undefined:
          waitMs = this.#pauseMs(++failures);
          break;
        case 'gone':
          this.#consumer.acknowledge(copy);
          return undefined;
        case 'leased':
          waitMs = claim.waitMs;
          break;
        case 'claimed':
          // Closed meanwhile, and nobody has seen it: another process may have it at once.
          await this.parts.ledger.release(message.id, claim.lease).catch(() => {});
          return undefined;
        case 'early': {
          const { dueAt } = claim;
          // By the later one of two clocks.
          waitMs = Math.max(claim.waitMs, dueAt - this.#now());
          if (waitMs <= LONGEST_HOLD_MS) break;
          await this.#replace(copy, { ...message, dueAt });
          return undefined;
        }
      }
    }
  }

  /** Puts a copy for the right time in the place of one that came at a wrong time. */
  async #replace(copy: PulsarMessage, message: ScheduledMessage): Promise<void> {
    if (await this.#insist(() => this.parts.send(message))) this.#consumer.acknowledge(copy);
  }

  /** @returns whether the handler resolved */
  async #handOver({ message, lease }: Claimed): Promise<boolean> {
    const { ledger, handler } = this.parts;
    const extension = setInterval(
      // If it fails, the lease may run out: then the message may be handed over twice, but not lost.
      () => void ledger.extend(message.id, lease).catch(() => {}),
      this.options.leaseMs / 3,
    );
    try {
      await handler(message);
      return true;
    } catch (error) {
      this.#logger.warn(`message ${message.id} was not handed over and will come again: ${String(error)}`);
      return false;
    } finally {
      clearInterval(extension);
      this.#semaphore.release();
    }
  }

  async #refuse(copy: PulsarMessage, { message: { id }, lease }: Claimed): Promise<void> {
    const { maxDeliveries } = this.options;
    const isLast = maxDeliveries > 0 && copy.redeliveryCount >= maxDeliveries - 1;
    // If it fails, the lease runs out.
    await this.parts.ledger[isLast ? 'giveUp' : 'release'](id, lease).catch(() => {});
    if (await this.#pauses.sleep(isLast ? 0 : this.#pauseMs(copy.redeliveryCount + 1)))
      this.#consumer.refuse(copy);
  }

  /** @returns whether it was done. While closing it tries once. */
  async #insist(action: () => Promise<void>): Promise<boolean> {
    for (let failures = 1; ; failures++) {
      try {
        await action();
        return true;
      } catch (error) {
        this.#logger.debug(`tried again: ${String(error)}`);
        if (!(await this.#pauses.sleep(this.#pauseMs(failures)))) return false;
      }
    }
  }

  #pauseMs(attempt: number): number {
    const { retryInitialMs, retryMaxMs } = this.options;
    return backoffMs(attempt, retryInitialMs, retryMaxMs) * (0.75 + Math.random() / 4);
  }
}
