import type { MessageFormat } from '../../message/index.js';
import type { ClientInfo } from '../presence/client-info.js';

/** A position in the history of a channel. */
export interface StreamPosition {
  /** Counts the publications of the channel from 1. 0 before the first one. */
  readonly offset: number;
  /** Identifies the history to which the offset belongs. It changes when the store has lost the channel. */
  readonly epoch: string;
}

/**
 * What the fan-out carries: a message, a client that joins or leaves a channel (`info` says which), or a control
 * message between nodes, which uses channels that no client can subscribe to.
 */
export type PublicationKind = 'message' | 'join' | 'leave' | 'control';

/** By position: the wire form contains the index, so a new lane goes to the end. */
export const LANES = ['instant', 'delayed', 'direct'] as const;

export type Lane = (typeof LANES)[number];

/** The fields from which a {@link Publication} is made. */
export interface PublicationFields {
  readonly channel: string;
  readonly data: Buffer;
  readonly format: MessageFormat;
  readonly id?: string | undefined;
  readonly createdAt: number;
  readonly dueAt?: number | undefined;
  readonly lane: Lane;
  readonly expiresAt?: number | undefined;
  /** Default: `message`. */
  readonly kind?: PublicationKind | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly info?: ClientInfo | undefined;
  /** Default: false. */
  readonly delta?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly epoch?: string | undefined;
  readonly previous?: Buffer | undefined;
}

/**
 * One message on its way to the subscribers of a channel on this process. All of them share one object.
 *
 * `frames` is the cache of the hot path: each wire format owns a slot (an index that it takes once at start-up),
 * encodes the publication for the first subscriber, and reuses the bytes for all others.
 */
export class Publication implements StreamPosition {
  readonly frames: (Buffer | undefined)[] = [];
  readonly channel: string;
  readonly data: Buffer;
  readonly format: MessageFormat;
  /** The message id. Absent if duplicates need not be recognized. */
  readonly id: string | undefined;
  /** Unix time in ms at which the message was requested, for the latency histograms. */
  readonly createdAt: number;
  /** Unix time in ms at which it was due, for the same. */
  readonly dueAt: number | undefined;
  /** How it reached delivery, for the metrics. */
  readonly lane: Lane;
  /** Unix time in ms after which it is dropped instead of delivered. */
  readonly expiresAt: number | undefined;
  readonly kind: PublicationKind;
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** The client that published it, or that joins or leaves. */
  readonly info: ClientInfo | undefined;
  /** Whether subscribers that asked for deltas may receive the difference from `previous`. */
  readonly delta: boolean;
  /** Its position in the history of the channel. 0 and an empty epoch if it is not in the history. */
  readonly offset: number;
  readonly epoch: string;
  /** The data of the publication at `offset - 1`, if `delta` is set and the history still has it. */
  readonly previous: Buffer | undefined;

  constructor(fields: PublicationFields) {
    this.channel = fields.channel;
    this.data = fields.data;
    this.format = fields.format;
    this.id = fields.id;
    this.createdAt = fields.createdAt;
    this.dueAt = fields.dueAt;
    this.lane = fields.lane;
    this.expiresAt = fields.expiresAt;
    this.kind = fields.kind ?? 'message';
    this.tags = fields.tags;
    this.info = fields.info;
    this.delta = fields.delta ?? false;
    this.offset = fields.offset ?? 0;
    this.epoch = fields.epoch ?? '';
    this.previous = fields.previous;
  }

  /** Returns the same publication with its position in the history. */
  at({ offset, epoch }: StreamPosition, previous: Buffer | undefined): Publication {
    const { channel, data, format, id, createdAt, dueAt, lane, expiresAt, kind, tags, info, delta } = this;
    return new Publication({
      channel,
      data,
      format,
      id,
      createdAt,
      dueAt,
      lane,
      expiresAt,
      kind,
      tags,
      info,
      delta,
      offset,
      epoch,
      previous,
    });
  }
}
