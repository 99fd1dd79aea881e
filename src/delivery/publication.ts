import type { MessageFormat } from '../bus/index.js';

/**
 * One message on its way to the subscribers of a channel on this process. One object serves all of them.
 *
 * `frames` is the hot path's cache: each wire format owns a slot (an index that it takes once at start-up), encodes on
 * first use and finds the bytes there for every further subscriber.
 */
export class Publication {
  readonly frames: (Buffer | undefined)[] = [];

  constructor(
    readonly channel: string,
    readonly data: Buffer,
    readonly format: MessageFormat,
    /** The message id; absent on the direct path when nobody needs to tell duplicates. */
    readonly id: string | undefined,
    /** Unix time in ms at which the message was asked for, and at which it was due: for the latency histograms. */
    readonly createdAt: number,
    readonly dueAt: number | undefined,
    /** Which way it came, for the metrics. */
    readonly lane: Lane,
    /** Unix time in ms after which it is dropped instead of delivered. */
    readonly expiresAt?: number | undefined,
  ) {}
}

/** By position: the wire form holds the index, so a new lane goes to the end. */
export const LANES = ['instant', 'delayed', 'direct'] as const;

export type Lane = (typeof LANES)[number];
