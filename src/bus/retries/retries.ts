import { Logger } from '@nestjs/common';
import { RecordRefusedError } from '../bus.errors.js';
import type { ConsumerMeters } from '../bus.metrics.js';
import type { Publisher } from '../buses.js';
import type { RetryRecord } from './retry-record.js';
import type { RetryOutcome } from './retry-store.port.js';
import type { Consumer } from '../consumers/consumer.js';
import { deadLetterTopicOf, toDeadLetterRecord } from './dead-letter-record.js';
import { eventName, toReceivedEvent } from '../consumers/event-record.js';
import type { Handling } from '../consumers/handling.js';
import type { ReceivedEvent } from '../consumers/received-event.js';
import type { RetryPolicy } from './retry-policy.js';

/** Tries again what a consumer put aside, one event at a time, and buries what is given up. */
export class Retries {
  readonly #logger = new Logger('Consumers');

  constructor(
    private readonly consumer: Consumer,
    private readonly handling: Handling,
    private readonly policy: RetryPolicy,
    private readonly meters: ConsumerMeters,
    private readonly publisher: () => Promise<Publisher>,
  ) {}

  /** Rejects when a dead letter could not be copied to its topic: then it is not buried yet. */
  async outcomeOf(parked: RetryRecord): Promise<RetryOutcome> {
    if (parked.givenUp) return this.#bury(parked);
    let event: ReceivedEvent;
    try {
      event = toReceivedEvent(parked, this.consumer.driver, parked.attempts + 1);
    } catch (error) {
      return this.policy.outcomeOf(error, parked.attempts, Date.now());
    }
    const { events } = this.consumer;
    // The consumer may have been changed since.
    if (events !== undefined && !events.has(event.event)) return { kind: 'handled' };
    if (parked.attempts > 0) this.meters.of(event.event).retries.inc();
    const [fault] = (await this.handling.attempt([event])).values();
    return fault === undefined
      ? { kind: 'handled' }
      : this.policy.outcomeOf(fault, parked.attempts, Date.now());
  }

  async #bury(parked: RetryRecord): Promise<RetryOutcome> {
    if (this.consumer.settings.deadLetterTopic) await this.#copy(parked);
    const { id, group, topic, partition, position, attempts, failure } = parked;
    this.meters.of(eventName(parked)).deadLetters.inc();
    this.#logger.error(
      `${group} gave up ${topic}/${partition}/${position} after ${attempts} attempt(s), ` +
        `${failure?.code}: ${failure?.message}. Dead letter ${id}`,
    );
    return { kind: 'dead' };
  }

  /** What the broker will never take (too large with what is said of it, a name too long) is a dead letter all the same. */
  async #copy(parked: RetryRecord): Promise<void> {
    const topic = deadLetterTopicOf(parked);
    const publisher = await this.publisher();
    try {
      await publisher.publish(topic, [toDeadLetterRecord(parked)]);
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      this.#logger.warn(`dead letter ${parked.id} is not copied to ${topic}: ${error.message}`);
    }
  }
}
