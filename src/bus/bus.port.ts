import type { OutgoingRecord, ReceivedRecord } from '../message/index.js';

/** What the broker of an adapter can do. Checked at start-up. */
export interface BusCapabilities {
  /** A published record survives this process. */
  readonly durable: boolean;
  /** Other processes that are connected to the same broker receive the record. */
  readonly shared: boolean;
  /** A group receives records with the same key in the order in which they were published. */
  readonly keyOrder: boolean;
  /** A known group receives the records that are published while none of its members is connected. */
  readonly remembersGroups: boolean;
}

export interface SubscribeOptions {
  readonly topics: readonly string[];
  /** Members of one group share the records. Each group receives all records. */
  readonly group: string;
  /** Largest number of records in one call of the handler. Default 1. */
  readonly maxBatchSize?: number;
  /** How many calls of the handler may run at the same time, each for its own partition. Default 1. */
  readonly concurrency?: number;
  /** Where a new group starts. Default `latest`. */
  readonly from?: 'earliest' | 'latest';
  /** Called after a rebalance in which this member took part. Never called for brokers that assign no partitions. */
  readonly onRebalance?: () => void;
  /** Receives what keeps this subscription from receiving records. */
  readonly progress?: ProgressReporter;
  /** Receives whether the subscription is in force. */
  readonly observer?: SubscriptionObserver;
  /** Pause between two attempts to bring the subscription into force, in ms. Default: a pause of the adapter, which grows. */
  readonly restartDelayMs?: number;
}

/**
 * Receives whether a subscription is in force: whether this process is a member of the group, and the broker can be reached.
 *
 * - Every adapter calls `inForce` when that is so, and again when it is so again.
 * - It calls `failed` after each attempt that failed, and when the membership ends or the broker cannot be reached any more. It
 *   then makes further attempts with pauses of `restartDelayMs`. A connection that was lost may be made again at its own pace: it
 *   belongs to others as well.
 * - It calls neither after `close`.
 */
export interface SubscriptionObserver {
  inForce(): void;
  /** @param reason without secrets */
  failed(reason: string): void;
}

/**
 * Receives what keeps records from being handled. If a cause lasts too long, the readiness of the process turns red.
 *
 * - An adapter reports a cause with `blocked`, and repeats the report while the cause lasts, at least once a minute.
 * - It reports with `unblocked` that the cause is over. A success that the same fault would follow again does not end it: a
 *   membership that keeps ending has to last for a while first.
 * - It reports neither idleness nor an unreachable broker: the latter has a status of its own.
 *
 * The caller of `subscribe` reports a handler that keeps rejecting, and compares the measurements of `lag`.
 */
export interface ProgressReporter {
  /** @param reason for the operator: what happens, to what, since when or why, without secrets */
  blocked(cause: string, reason: string): void;
  unblocked(cause: string): void;
}

/** The lag of a group in one partition. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** The number of records that the group has not acknowledged. */
  readonly records: number;
  /**
   * A mark that changes whenever the group acknowledges records of the partition, and otherwise stays the same. Absent if the
   * adapter has none: then it is not noticed that the backlog does not move.
   */
  readonly acknowledged?: string;
  /** False if another process reads the partition. Absent if the adapter does not know. */
  readonly isAssigned?: boolean;
  /** False if no process of the group reads the partition. Absent if the adapter does not know. */
  readonly hasReader?: boolean;
}

/**
 * Handles a batch of records from one partition, in order. If it resolves, every record is acknowledged. If it rejects, none is,
 * and the adapter delivers the same records again after a backoff.
 */
export type RecordHandler = (records: readonly ReceivedRecord[]) => Promise<void>;

export interface BusSubscription {
  /** Takes no more records until `resume`. A call of the handler in progress finishes. Heartbeats continue. */
  pause(): void;
  resume(): void;
  /** Takes no more records, waits for running handlers, acknowledges their records and leaves the group. May be called twice. */
  close(): Promise<void>;
}

/**
 * A message queue: topics, keys and consumer groups over memory, Kafka, Pulsar or Redis Streams.
 *
 * Every adapter promises:
 * - `publish` resolves when the broker holds every record, acknowledged by its replicas if it has any. Otherwise it rejects with
 *   `BrokerUnavailableError` within the adapter's `sendTimeoutMs`; the time that a broker takes to create a topic is added, up to 15
 *   seconds. After a rejection the broker may hold some of the records:
 *   publishing them again is safe if the consumers deduplicate records by id.
 * - Each group receives each record at least once. A record is acknowledged to the broker only after the handler resolved. A
 *   record whose handler rejected is delivered again, after a backoff that grows.
 * - If `capabilities.keyOrder` is set, a group handles records with the same key in the order in which they were published, and
 *   one at a time. A redelivered record may follow records that were published after it.
 * - The adapter reconnects by itself when the broker returns. While the broker is unavailable, publishing fails fast.
 * - `close` waits for publishes in progress, closes every subscription, and may be called twice. After it, `publish` rejects with
 *   `BusClosedError`.
 *
 * Not promised: exactly-once delivery; order between keys, partitions or topics; that topics exist (an adapter creates those that
 * it needs).
 */
export abstract class Bus {
  abstract readonly capabilities: BusCapabilities;
  /** Publishes the records in one request to the broker if it supports batches. */
  abstract publish(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /**
   * Resolves when the subscription is in force: the handler receives the records that are published from then on. While the broker
   * is unavailable it resolves early, and the subscription comes into force when the broker returns.
   */
  abstract subscribe(options: SubscribeOptions, handler: RecordHandler): Promise<BusSubscription>;
  /**
   * Resolves to the lag of a group in each partition that the broker reports.
   *
   * @throws {BrokerUnavailableError}
   */
  abstract lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]>;
  abstract close(): Promise<void>;
}
