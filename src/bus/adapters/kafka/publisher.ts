import type { Message as KafkaMessage } from 'kafkajs';
import { BrokerUnavailableError, RecordRefusedError } from '../../bus.errors.js';
import { backoffMs, pause, settlesWithin, withDeadline } from '../../../async/index.js';
import type { OutgoingRecord } from '../../../message/index.js';
import type { KafkaConnection } from './connection.js';
import { isProducerUnknown, isTooLarge, isTopicPending, isTopicUnknown, kafkaError } from './kafka.errors.js';
import type { KafkaLink } from './link.js';

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
/** Pauses before a request for a topic that is not ready is repeated. */
const REPEAT_INITIAL_PAUSE_MS = 25;
const REPEAT_MAX_PAUSE_MS = 500;

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
    const extended = await this.#afterCreation(deadline, expired);
    await withDeadline(Math.max(0, extended - Date.now()), expired, (signal) => this.#send(entries, signal));
  }

  /** The time during which the topic is being created does not count. Resolves to the deadline that remains. */
  async #afterCreation(deadline: number, expired: () => Error): Promise<number> {
    const { options, topics } = this.connection;
    const ensured = topics.ensure(this.topic);
    const isKnown = await settlesWithin(Math.max(0, deadline - Date.now()), ensured);
    if (!isKnown && !topics.isCreating(this.topic)) throw expired();
    return Math.max(deadline, (await ensured) + options.sendTimeoutMs);
  }

  /** Repeats the request while the topic is not ready: it was created a moment ago, or was deleted, or its leaders change. */
  async #send(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    let mayRenewProducer = true;
    for (let attempt = 1; ; attempt++) {
      await this.connection.topics.ensure(this.topic);
      const link = await this.connection.link();
      if (signal.aborted) return;
      try {
        await this.#sendOver(link, entries, signal);
        return;
      } catch (error) {
        if (isTopicUnknown(error)) this.connection.topics.forget(this.topic);
        // A client that was used with a deleted topic never works again, so the second failure replaces it.
        const mayKeepLink = isTopicPending(error) && (attempt === 1 || !isTopicUnknown(error));
        if (!mayKeepLink) this.connection.replace(link);
        const mayRepeat = isTopicPending(error) || (isProducerUnknown(error) && mayRenewProducer);
        if (isProducerUnknown(error)) mayRenewProducer = false;
        if (mayRepeat) await pause(backoffMs(attempt, REPEAT_INITIAL_PAUSE_MS, REPEAT_MAX_PAUSE_MS), signal);
        if (mayRepeat && !signal.aborted) continue;
        this.connection.replace(link);
        throw error;
      }
    }
  }

  async #sendOver(link: KafkaLink, entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const replaceLink = () => this.connection.replace(link);
    signal.addEventListener('abort', replaceLink);
    try {
      const messages = entries.map(({ message }) => message);
      await link.send(this.topic, messages, this.connection.options.sendTimeoutMs);
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
