import { Logger } from '@nestjs/common';
import { RecordRefusedError } from '../bus.errors.js';
import type { ConsumerMeters } from '../bus.metrics.js';
import type { Publisher } from '../buses.js';
import type { RetryRecord } from './retry-record.js';
import type { RetryOutcome } from './retry-store.port.js';
import type { Consumer } from '../consumers/consumer.js';
import { deadLetterTopicOf, toDeadLetterRecord } from './dead-letter-record.js';
import { eventName, toReceivedEvent } from '../consumers/event-record.js';
import type { HandlerRunner } from '../consumers/handler-runner.js';
import type { ReceivedEvent } from '../consumers/received-event.js';
import type { RetryPolicy } from './retry-policy.js';

/** Retries the records of one consumer, one event at a time, and makes dead letters of those that are given up. */
export class Retrier {
  readonly #logger = new Logger('Consumers');

  constructor(
    private readonly consumer: Consumer,
    private readonly runner: HandlerRunner,
    private readonly policy: RetryPolicy,
    private readonly meters: ConsumerMeters,
    private readonly publisher: () => Promise<Publisher>,
  ) {}

  /** Rejects if a dead letter cannot be copied to its topic. The record is then not a dead letter yet. */
  async retry(record: RetryRecord): Promise<RetryOutcome> {
    if (record.givenUp) return this.#deadLetter(record);
    let event: ReceivedEvent;
    try {
      event = toReceivedEvent(record, this.consumer.driver, record.attempts + 1);
    } catch (error) {
      return this.policy.outcomeOf(error, record.attempts, Date.now());
    }
    const { events } = this.consumer;
    // The events of the consumer may have changed since the record failed.
    if (events !== undefined && !events.has(event.event)) return { kind: 'handled' };
    if (record.attempts > 0) this.meters.of(event.event).retries.inc();
    const [error] = (await this.runner.run([event])).values();
    return error === undefined
      ? { kind: 'handled' }
      : this.policy.outcomeOf(error, record.attempts, Date.now());
  }

  async #deadLetter(record: RetryRecord): Promise<RetryOutcome> {
    if (this.consumer.settings.deadLetterTopic) await this.#copyToTopic(record);
    const { id, group, topic, partition, position, attempts, failure } = record;
    this.meters.of(eventName(record)).deadLetters.inc();
    this.#logger.error(
      `consumer ${group}: gave up record ${topic}/${partition}/${position} after ${attempts} attempt(s), ` +
        `it is now dead letter ${id}: ${failure?.code}: ${failure?.message}`,
    );
    return { kind: 'dead' };
  }

  /** If the broker refuses the copy (it is too large, or the topic's name is too long), the record becomes a dead letter anyway. */
  async #copyToTopic(record: RetryRecord): Promise<void> {
    const topic = deadLetterTopicOf(record);
    const publisher = await this.publisher();
    try {
      await publisher.publish(topic, [toDeadLetterRecord(record)]);
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      this.#logger.warn(`dead letter ${record.id} is not copied to topic ${topic}: ${error.message}`);
    }
  }
}
