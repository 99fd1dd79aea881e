import { Logger } from '@nestjs/common';
import { type Bus, type BusSubscription } from '../bus.port.js';
import {
  UndeliverableRecordError,
  toMessage,
  toRecord,
  type Message,
  type ReceivedRecord,
} from '../../message/index.js';
import type { InstantLaneOptions } from './instant-lane.options.js';

/** Hears of each record that was skipped because it cannot be understood. Must not throw. */
export type UndeliverableListener = (record: ReceivedRecord, error: UndeliverableRecordError) => void;

/**
 * The way of messages that are due at once: in at one process, over a topic, out at whichever process takes them first.
 *
 * What was published is handled at least once. Messages with one key (the channel, unless the message names another)
 * are handled in the order of their publishing and one at a time; the others of a batch are handled side by side.
 */
export class InstantLane {
  readonly #logger = new Logger(InstantLane.name);

  constructor(
    private readonly bus: Bus,
    private readonly options: InstantLaneOptions,
    private readonly onUndeliverable: UndeliverableListener = () => {},
  ) {}

  /** Resolves when the bus holds all of them. After a rejection some may be held: a retry with the same ids is safe. */
  publish(messages: readonly Message[]): Promise<void> {
    return this.bus.publish(this.options.topic, messages.map(toRecord));
  }

  /**
   * Hands every message of the topic to `handler`. If one is rejected, its batch comes again after a back-off, and with it
   * messages that were handled already.
   */
  consume(handler: (message: Message) => Promise<void>): Promise<BusSubscription> {
    const { topic, group, batchSize, concurrency, startFrom } = this.options;
    return this.bus.subscribe(
      { topics: [topic], group, maxBatchSize: batchSize, concurrency, from: startFrom },
      (records) => handleInKeyOrder(this.#decode(records), handler),
    );
  }

  #decode(records: readonly ReceivedRecord[]): Message[] {
    const messages: Message[] = [];
    for (const record of records) {
      try {
        messages.push(toMessage(record, this.options.foreignRecords));
      } catch (error) {
        if (!(error instanceof UndeliverableRecordError)) throw error;
        const { topic, partition, position } = record;
        this.#logger.warn(`skipped record ${topic}/${partition}/${position}: ${error.message}`);
        this.onUndeliverable(record, error);
      }
    }
    return messages;
  }
}

async function handleInKeyOrder(
  messages: readonly Message[],
  handler: (message: Message) => Promise<void>,
): Promise<void> {
  const [only] = messages;
  if (only !== undefined && messages.length === 1) return handler(only);
  const byKey = Map.groupBy(messages, (message) => message.key ?? message.channel);
  // All of them settle before the batch may come again, so that no message is in two hands at once.
  const outcomes = await Promise.allSettled([...byKey.values()].map((run) => handleOneByOne(run, handler)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function handleOneByOne(
  messages: readonly Message[],
  handler: (message: Message) => Promise<void>,
): Promise<void> {
  for (const message of messages) await handler(message);
}
