import type { BusOptionsInput } from '../../src/bus/index.js';

/** What is done with records. It is asynchronous, as that of an application is. */
export type Handle = (records: readonly unknown[]) => Promise<void>;

export interface Producer {
  /** Resolves when the broker holds all of them. */
  send(values: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

/** One way to use a broker. */
export interface Side {
  /** Connected, to a topic that exists. */
  produce(topic: string): Promise<Producer>;
  /**
   * Takes all of a topic, as a new group, and acknowledges it after it was handled.
   *
   * @returns what ends it
   */
  consume(topic: string, batchSize: number, handle: Handle): Promise<() => Promise<void>>;
}

/** How many records a turn takes: long enough to be measured, short enough for many turns. */
export interface Amounts {
  readonly producedSingly: number;
  readonly producedInBatches: number;
  /** Far more than one fetch brings, or it would be the records in memory that are counted. */
  readonly consumed: number;
}

/** A broker that runs, and its client library used by hand with the settings that the bus has. */
export interface Bench {
  readonly client: string;
  readonly byHand: Side;
  readonly drivers: NonNullable<BusOptionsInput['drivers']>;
  /** Handlers at work at once: one for each partition of a topic. */
  readonly concurrency: number;
  readonly amounts: Amounts;
  close(): Promise<void>;
}
