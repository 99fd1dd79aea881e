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
  async outcomeOf(record: RetryRecord): Promise<RetryOutcome> {
    if (record.givenUp) return this.#bury(record);
    let event: ReceivedEvent;
    try {
      event = toReceivedEvent(record, this.consumer.driver, record.attempts + 1);
    } catch (error) {
      return this.policy.outcomeOf(error, record.attempts, Date.now());
    }
    const { events } = this.consumer;
    // The consumer may have been changed since.
    if (events !== undefined && !events.has(event.event)) return { kind: 'handled' };
    if (record.attempts > 0) this.meters.of(event.event).retries.inc();
    const [fault] = (await this.handling.attempt([event])).values();
    return fault === undefined
      ? { kind: 'handled' }
      : this.policy.outcomeOf(fault, record.attempts, Date.now());
  }

  async #bury(record: RetryRecord): Promise<RetryOutcome> {
    if (this.consumer.settings.deadLetterTopic) await this.#copy(record);
    const { id, group, topic, partition, position, attempts, failure } = record;
    this.meters.of(eventName(record)).deadLetters.inc();
    this.#logger.error(
      `${group} gave up ${topic}/${partition}/${position} after ${attempts} attempt(s), ` +
        `${failure?.code}: ${failure?.message}. Dead letter ${id}`,
    );
    return { kind: 'dead' };
  }

  /** What the broker will never take (too large with what is said of it, a name too long) is a dead letter all the same. */
  async #copy(record: RetryRecord): Promise<void> {
    const topic = deadLetterTopicOf(record);
    const publisher = await this.publisher();
    try {
      await publisher.publish(topic, [toDeadLetterRecord(record)]);
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      this.#logger.warn(`dead letter ${record.id} is not copied to ${topic}: ${error.message}`);
    }
  }
}
