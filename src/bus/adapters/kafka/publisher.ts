import type { Message as KafkaMessage } from 'kafkajs';
import { BrokerUnavailableError, RecordRefusedError } from '../../bus.errors.js';
import { withDeadline } from '../../../async/index.js';
import type { OutgoingRecord } from '../../../message/index.js';
import type { KafkaConnection } from './connection.js';
import { errorTypeOf, isProducerUnknown, isTooLarge, kafkaError } from './kafka.errors.js';

/** One call to `publish`. */
interface Call {
  readonly deadline: number;
  /** The number of records that are not acknowledged yet. */
  unacknowledged: number;
  failed: boolean;
  resolve(): void;
  reject(error: Error): void;
}

interface Entry {
  readonly call: Call;
  readonly message: KafkaMessage;
  readonly bytes: number;
}

/** kafkajs copies the records of a request while it groups them, which costs quadratic time. */
const MAX_REQUEST_RECORDS = 1_000;
/** Approximately what Kafka adds to a record. */
const RECORD_OVERHEAD_BYTES = 32;

/**
 * Publishes to one topic, one request at a time. Records that are published in the same event-loop turn, or while a request is in
 * progress, share the next request.
 *
 * The idempotent producer requires this order. When a request fails, kafkajs reuses its sequence numbers, even if the broker
 * stored the records: other records with the same numbers would be taken for a repetition and lost. So a request is repeated
 * unchanged, or the link is replaced, which creates a producer with a new id.
 */
export class KafkaPublisher {
  #queue: Entry[] = [];
  #queuedBytes = 0;
  #sending: Promise<void> | undefined;

  constructor(
    private readonly topic: string,
    private readonly connection: KafkaConnection,
  ) {}

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const deadline = Date.now() + this.connection.options.sendTimeoutMs;
    const call: Call = { deadline, unacknowledged: records.length, failed: false, resolve, reject };
    const entries = records.map((record) => entryOf(record, call));
    const bytes = sizeOf(entries);
    const { maxQueuedBytes } = this.connection.options;
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > maxQueuedBytes) {
      reject(
        new BrokerUnavailableError(
          'kafka',
          `${this.#queuedBytes} bytes are queued for topic ${this.topic}, and maxQueuedBytes is ${maxQueuedBytes}`,
        ),
      );
      return promise;
    }
    if (records.length === 0) resolve();
    for (const entry of entries) this.#queue.push(entry);
    this.#queuedBytes += bytes;
    this.#sending ??= this.#sendAll();
    return promise;
  }

  /** Resolves when every published record is sent or has failed. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#deliver(this.#take());
    this.#sending = undefined;
  }

  #take(): Entry[] {
    let count = 0;
    let bytes = 0;
    for (const entry of this.#queue) {
      const full = bytes + entry.bytes > this.connection.options.maxRequestBytes;
      if (count > 0 && (full || count === MAX_REQUEST_RECORDS)) break;
      bytes += entry.bytes;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  /** Sends the entries and settles their calls. Never rejects. */
  async #deliver(entries: readonly Entry[]): Promise<void> {
    const unsettled = entries.filter(({ call }) => !call.failed);
    const [first] = unsettled;
    if (first === undefined) return;
    try {
      await this.#sendBefore(first.call.deadline, unsettled);
    } catch (error) {
      await this.#onFailure(unsettled, error);
      return;
    }
    for (const { call } of unsettled) if (--call.unacknowledged === 0) call.resolve();
  }

  async #onFailure(entries: readonly Entry[], error: unknown): Promise<void> {
    // The broker limits the size of the request, so only a record that is alone in its request is known to be too large.
    if (isTooLarge(error) && entries.length > 1) {
      const middle = Math.ceil(entries.length / 2);
      await this.#deliver(entries.slice(0, middle));
      await this.#deliver(entries.slice(middle));
      return;
    }
    const reason = kafkaError(error);
    fail(entries, reason);
    if (reason instanceof RecordRefusedError) return;
    // The queued records would wait for the same broker.
    fail(this.#queue, reason);
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  async #sendBefore(deadline: number, entries: readonly Entry[]): Promise<void> {
    const { sendTimeoutMs } = this.connection.options;
    const expired = () => new BrokerUnavailableError('kafka', `no answer within ${sendTimeoutMs} ms`);
    await withDeadline(Math.max(0, deadline - Date.now()), expired, (signal) => this.#send(entries, signal));
  }

  async #send(entries: readonly Entry[], signal: AbortSignal, repeated = false): Promise<void> {
    await this.connection.ensureTopic(this.topic);
    const link = await this.connection.link();
    if (signal.aborted) return;
    const replaceLink = () => this.connection.replace(link);
    signal.addEventListener('abort', replaceLink);
    try {
      const messages = entries.map(({ message }) => message);
      await link.send(this.topic, messages, this.connection.options.sendTimeoutMs);
    } catch (error) {
      replaceLink();
      if (errorTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.connection.forgetTopic(this.topic);
      if (!isProducerUnknown(error) || repeated || signal.aborted) throw error;
      await this.#send(entries, signal, true);
    } finally {
      signal.removeEventListener('abort', replaceLink);
    }
  }
}

function entryOf({ key, headers, value }: OutgoingRecord, call: Call): Entry {
  let bytes = RECORD_OVERHEAD_BYTES + value.length + (key === undefined ? 0 : Buffer.byteLength(key));
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name] ?? '') + 4;
  const message = { key: key ?? null, value, ...(headers === undefined ? {} : { headers }) };
  return { call, message, bytes };
}

function sizeOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.bytes;
  return bytes;
}

function fail(entries: readonly Entry[], error: Error): void {
  for (const { call } of entries) {
    if (call.failed) continue;
    call.failed = true;
    call.reject(error);
  }
}
