import type { OutgoingRecord, ReceivedRecord } from '../message/index.js';

/** What an adapter's broker can do. Checked at start-up, never discovered at request time. */
export interface BusCapabilities {
  /** A published record outlives this process. */
  readonly durable: boolean;
  /** Other processes connected to the same broker see the record. */
  readonly shared: boolean;
  /** Records with one key reach a group in the order in which they were published. */
  readonly keyOrder: boolean;
  /** A group that has been seen once receives what is published while none of its members is connected. */
  readonly remembersGroups: boolean;
}

export interface SubscribeOptions {
  readonly topics: readonly string[];
  /** Members of one group share the records; each group receives all of them. */
  readonly group: string;
  /** Largest number of records in one call of the handler. Default 1. */
  readonly maxBatchSize?: number;
  /** How many calls of the handler may run at once in this subscription; each has a partition of its own. Default 1. */
  readonly concurrency?: number;
  /** Where a group that was never seen before starts. Default `latest`. */
  readonly from?: 'earliest' | 'latest';
  /** Hears that the partitions were dealt anew while this was a member. Never called where a broker does not deal any. */
  readonly onRebalance?: () => void;
}

/** What a group has still before it in one partition of a topic. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Records that the group has not acknowledged. */
  readonly records: number;
}

/**
 * Handles a batch from one partition, in order. Resolving acknowledges every record in it; rejecting
 * acknowledges none, and the adapter delivers the same records again after its back-off.
 */
export type RecordHandler = (records: readonly ReceivedRecord[]) => Promise<void>;

export interface BusSubscription {
  /** Takes no further records until `resume`; a call of the handler that is under way finishes. Heartbeats go on. */
  pause(): void;
  resume(): void;
  /** Takes no further records, waits for the handler to finish what it holds, acknowledges it and leaves the group. May be called twice. */
  close(): Promise<void>;
}

/**
 * A queue of records: topics, keys and consumer groups over memory, Kafka, Pulsar or Redis Streams.
 *
 * Promised by every adapter:
 * - `publish` resolves when the broker holds every record (with acknowledgement from its replicas where it has
 *   replicas), and rejects with `BrokerUnavailableError` within the adapter's `sendTimeoutMs` when it does not.
 *   After a rejection some of the records may be held all the same: publishing again is safe for consumers
 *   that tell records apart by id.
 * - Each record reaches each group at least once. It is acknowledged to the broker only after the handler
 *   resolved. A record whose handler rejected comes again, after a back-off that grows.
 * - Records with the same key are handled in the order of their publishing and never two at a time within a
 *   group, where `capabilities.keyOrder` is set. A redelivered record may follow records that came after it.
 * - A broker that goes away and comes back is survived without a call from above: producers fail fast while it is away,
 *   consumers resume.
 * - `close` waits for publishes under way, closes every subscription, and may be called twice. Afterwards `publish` rejects
 *   with `BusClosedError`.
 *
 * Not promised: exactly-once delivery; order between keys, between partitions, or between topics; topics that
 * exist beforehand (an adapter creates what it needs).
 */
export abstract class Bus {
  abstract readonly capabilities: BusCapabilities;
  /** Publishes one or many records in one exchange with the broker where it has a batch form. */
  abstract publish(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /**
   * Resolves when the subscription is in force: what is published from then on reaches the handler. While the broker is away
   * it resolves as soon as that is known, and the subscription comes into force when the broker returns.
   */
  abstract subscribe(options: SubscribeOptions, handler: RecordHandler): Promise<BusSubscription>;
  /**
   * How far a group is behind, as the broker tells it now. Partitions of which it does not tell are left out.
   * @throws {BrokerUnavailableError}
   */
  abstract lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]>;
  abstract close(): Promise<void>;
}
