/** A record that a producer publishes on a {@link Bus}: bytes with an optional key and text headers. */
export interface OutgoingRecord {
  /** Records with the same key keep their order; records without one are spread over the partitions. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

/** A record that a consumer receives from a {@link Bus}. */
export interface ReceivedRecord {
  readonly topic: string;
  /** Number of the partition that the record came from; 0 if the broker has no partitions. */
  readonly partition: number;
  /** The position of the record, in the form of the broker: an offset, an entry id or a message id. For logs and dead letters. */
  readonly position: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
  /** Unix time in ms of publication, as set by the broker or the producer. */
  readonly publishedAt: number;
  /** 1 at the first delivery. A lower bound: for a broker that does not count, it starts again at 1 after a rebalance. */
  readonly attempt: number;
}
