import type { BusDriver } from '../bus.options.js';

/** An event as a consumer receives it. */
export interface ReceivedEvent {
  /** UUIDv7, the same at every delivery of the event, so that a handler can recognise a duplicate. */
  readonly id: string;
  readonly event: string;
  /** The JSON value, or a Buffer if the event is not JSON. */
  readonly payload: unknown;
  readonly key?: string;
  /** The headers of the producer, without Carillon's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** Unix time in ms when the event was emitted. */
  readonly createdAt: number;
  readonly driver: BusDriver;
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  /** 1 for the first attempt. A lower bound: after a crash, an attempt may be repeated with the same number. */
  readonly attempt: number;
}
