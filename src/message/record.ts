/** What a producer hands to a {@link Bus}: bytes with an optional key and text headers. */
export interface OutgoingRecord {
  /** Records with the same key keep their order; records without one are spread over the partitions. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

/** What a consumer receives from a {@link Bus}. */
export interface ReceivedRecord {
  readonly topic: string;
  /** Number of the partition it came from; 0 where the broker has none. */
  readonly partition: number;
  /** The broker's own name for the record's place: an offset, an entry id, a message id. For logs and dead letters. */
  readonly position: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
  /** Unix time in ms at which the broker or the producer stamped it. */
  readonly publishedAt: number;
  /** 1 at the first delivery. A lower bound: a broker that does not count starts again at 1 after a hand-over. */
  readonly attempt: number;
}
