import { Logger } from '@nestjs/common';
import { type Bus, type BusSubscription } from '../bus.port.js';
import {
  ForeignRecordError,
  UndeliverableRecordError,
  toMessage,
  toRecord,
  type Message,
  type ReceivedRecord,
} from '../../message/index.js';
import type { ProgressWatch } from '../progress-watch.js';
import type { LaneDeadLetters, RefusedRecord } from './lane-dead-letters.js';
import type { InstantLaneOptions } from './instant-lane.options.js';

const RECORDS = 'delivery of ';

/** Called for each record that cannot be decoded. Must not throw. */
export type UndeliverableListener = (record: ReceivedRecord, error: UndeliverableRecordError) => void;

interface Decoded {
  readonly record: ReceivedRecord;
  readonly message: Message;
}

type MessageHandler = (message: Message) => Promise<void>;

/**
 * The queue of messages that are due at once. One process publishes them to a topic, and one of the processes that consume the
 * topic handles each of them.
 *
 * A message is handled at least once. Messages with the same key (by default the channel) are handled one at a time, in the order
 * in which they were published. Messages of a batch with different keys are handled at the same time.
 *
 * A record that cannot be decoded, or that the handler refuses with {@link UndeliverableRecordError}, becomes a dead letter. Without
 * a rule for records of other programs, those are skipped.
 */
export class InstantLane {
  readonly #logger = new Logger(InstantLane.name);

  constructor(
    private readonly bus: Bus,
    private readonly options: InstantLaneOptions,
    private readonly onUndeliverable: UndeliverableListener = () => {},
    private readonly progress?: ProgressWatch,
    private readonly deadLetters?: LaneDeadLetters,
  ) {}

  /** Resolves when the bus holds all messages. After a rejection it may hold some: a retry with the same ids is safe. */
  publish(messages: readonly Message[]): Promise<void> {
    return this.bus.publish(this.options.topic, messages.map(toRecord));
  }

  /**
   * Passes every message of the topic to `handler`. If it rejects a message, the whole batch is delivered again after a backoff,
   * including messages that were handled already.
   */
  async consume(handler: MessageHandler): Promise<BusSubscription> {
    const retries = await this.deadLetters?.consume(handler, this.progress?.scoped('dead letters'));
    try {
      const subscription = await this.#subscribe(handler);
      return {
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        close: async () => void (await Promise.all([subscription.close(), retries?.close()])),
      };
    } catch (error) {
      await retries?.close();
      throw error;
    }
  }

  #subscribe(handler: MessageHandler): Promise<BusSubscription> {
    const { topic, group, batchSize, concurrency, startFrom } = this.options;
    const { progress } = this;
    const options = { topics: [topic], group, maxBatchSize: batchSize, concurrency, from: startFrom };
    if (progress === undefined)
      return this.bus.subscribe(options, (records) => this.#handle(records, handler));
    progress.start();
    return this.bus.subscribe(
      { ...options, progress, onRebalance: () => progress.forget(RECORDS) },
      (records) => progress.follow(causeOf(records), this.#handle(records, handler)),
    );
  }

  async #handle(records: readonly ReceivedRecord[], handler: MessageHandler): Promise<void> {
    const refused: RefusedRecord[] = [];
    await handleInKeyOrder(this.#decode(records, refused), handler, refused);
    if (refused.length > 0) await this.deadLetters?.add(refused);
  }

  #decode(records: readonly ReceivedRecord[], refused: RefusedRecord[]): Decoded[] {
    const decoded: Decoded[] = [];
    for (const record of records) {
      try {
        decoded.push({ record, message: toMessage(record, this.options.foreignRecords) });
      } catch (cause) {
        // No error may stop the lane: the record would fail again and again.
        const error =
          cause instanceof UndeliverableRecordError
            ? cause
            : new UndeliverableRecordError(`it cannot be decoded: ${String(cause)}`, { cause });
        const { topic, partition, position } = record;
        const isSkipped = error instanceof ForeignRecordError || this.deadLetters === undefined;
        this.#logger.warn(
          `instant lane: ${isSkipped ? 'skipped' : 'dead-lettering'} record ${topic}/${partition}/${position}, ` +
            `which cannot be decoded: ${error.message}`,
        );
        if (!isSkipped) refused.push({ record, error });
        this.onUndeliverable(record, error);
      }
    }
    return decoded;
  }
}

/** Names the partition and not the record, so that it is over when the partition moves on. */
function causeOf([first]: readonly ReceivedRecord[]): string {
  return `${RECORDS}${first?.topic}/${first?.partition}`;
}

/** Adds the records whose messages the handler refuses to `refused`. */
async function handleInKeyOrder(
  decoded: readonly Decoded[],
  handler: MessageHandler,
  refused: RefusedRecord[],
): Promise<void> {
  if (decoded.length === 1) return handleOneByOne(decoded, handler, refused);
  const byKey = Map.groupBy(decoded, ({ message }) => message.key ?? message.channel);
  // Waits for all of them before the batch is delivered again, so that no message is handled twice at the same time.
  const outcomes = await Promise.allSettled(
    [...byKey.values()].map((run) => handleOneByOne(run, handler, refused)),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function handleOneByOne(
  decoded: readonly Decoded[],
  handler: MessageHandler,
  refused: RefusedRecord[],
): Promise<void> {
  for (const { record, message } of decoded)
    try {
      await handler(message);
    } catch (error) {
      if (!(error instanceof UndeliverableRecordError)) throw error;
      refused.push({ record, error });
    }
}
