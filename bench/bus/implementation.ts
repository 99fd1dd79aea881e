import type { BusOptionsInput } from '../../src/bus/index.js';

/** Handles records. It is asynchronous, as in an application. */
export type Handle = (records: readonly unknown[]) => Promise<void>;

export interface Producer {
  /** Resolves when the broker holds all of them. */
  send(values: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

/** One way to use a broker. */
export interface Implementation {
  /** Connects to an existing topic. */
  produce(topic: string): Promise<Producer>;
  /**
   * Consumes a topic from its start as a new group, and acknowledges records after they were handled.
   *
   * @returns a function that stops it
   */
  consume(topic: string, batchSize: number, handle: Handle): Promise<() => Promise<void>>;
}

/** Records per round: enough for a measurement, few enough for many rounds. */
export interface Amounts {
  readonly producedSingly: number;
  readonly producedInBatches: number;
  /** Far more than one fetch returns. Otherwise the result would be that of records in memory. */
  readonly consumed: number;
}

/** A running broker, and its client library used by hand with the settings of the bus. */
export interface BrokerBench {
  readonly client: string;
  readonly byHand: Implementation;
  readonly drivers: NonNullable<BusOptionsInput['drivers']>;
  /** Concurrent handlers: one per partition of a topic. */
  readonly concurrency: number;
  readonly amounts: Amounts;
  close(): Promise<void>;
}
