import type { BusDriver } from '../bus.options.js';

/** One event as a consumer gets it. */
export interface ReceivedEvent {
  /** UUIDv7, the same at every delivery of the event: what was done can be remembered by it. */
  readonly id: string;
  readonly event: string;
  /** The JSON value, or a Buffer where the event was not JSON. */
  readonly payload: unknown;
  readonly key?: string;
  /** The producer's own headers, and what came with the record from other programs. */
  readonly headers: Readonly<Record<string, string>>;
  /** Unix time in ms at which it was emitted. */
  readonly createdAt: number;
  readonly driver: BusDriver;
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  /** 1 the first time. A lower bound: after a crash it may come again with the same number. */
  readonly attempt: number;
}
