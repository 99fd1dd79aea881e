import { Logger } from '@nestjs/common';
import { type Bus, type BusSubscription } from '../bus.port.js';
import {
  UndeliverableRecordError,
  toMessage,
  toRecord,
  type Message,
  type ReceivedRecord,
} from '../../message/index.js';
import type { ProgressWatch } from '../progress-watch.js';
import type { InstantLaneOptions } from './instant-lane.options.js';

const RECORDS = 'delivery of ';

/** Called for each record that is skipped because it cannot be decoded. Must not throw. */
export type UndeliverableListener = (record: ReceivedRecord, error: UndeliverableRecordError) => void;

/**
 * The queue of messages that are due at once. One process publishes them to a topic, and one of the processes that consume the
 * topic handles each of them.
 *
 * A message is handled at least once. Messages with the same key (by default the channel) are handled one at a time, in the order
 * in which they were published. Messages of a batch with different keys are handled at the same time.
 */
export class InstantLane {
  readonly #logger = new Logger(InstantLane.name);

  constructor(
    private readonly bus: Bus,
    private readonly options: InstantLaneOptions,
    private readonly onUndeliverable: UndeliverableListener = () => {},
    private readonly progress?: ProgressWatch,
  ) {}

  /** Resolves when the bus holds all messages. After a rejection it may hold some: a retry with the same ids is safe. */
  publish(messages: readonly Message[]): Promise<void> {
    return this.bus.publish(this.options.topic, messages.map(toRecord));
  }

  /**
   * Passes every message of the topic to `handler`. If it rejects a message, the whole batch is delivered again after a backoff,
   * including messages that were handled already.
   */
  consume(handler: (message: Message) => Promise<void>): Promise<BusSubscription> {
    const { topic, group, batchSize, concurrency, startFrom } = this.options;
    const { progress } = this;
    const options = { topics: [topic], group, maxBatchSize: batchSize, concurrency, from: startFrom };
    const handle = (records: readonly ReceivedRecord[]) => handleInKeyOrder(this.#decode(records), handler);
    if (progress === undefined) return this.bus.subscribe(options, handle);
    progress.start();
    return this.bus.subscribe(
      { ...options, progress, onRebalance: () => progress.forget(RECORDS) },
      (records) => progress.follow(causeOf(records), handle(records)),
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
        this.#logger.warn(
          `instant lane: skipped record ${topic}/${partition}/${position}, which cannot be decoded: ${error.message}`,
        );
        this.onUndeliverable(record, error);
      }
    }
    return messages;
  }
}

/** Names the partition and not the record, so that it is over when the partition moves on. */
function causeOf([first]: readonly ReceivedRecord[]): string {
  return `${RECORDS}${first?.topic}/${first?.partition}`;
}

async function handleInKeyOrder(
  messages: readonly Message[],
  handler: (message: Message) => Promise<void>,
): Promise<void> {
  const [only] = messages;
  if (only !== undefined && messages.length === 1) return handler(only);
  const byKey = Map.groupBy(messages, (message) => message.key ?? message.channel);
  // Waits for all of them before the batch is delivered again, so that no message is handled twice at the same time.
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
