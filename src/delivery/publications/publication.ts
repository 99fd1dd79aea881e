import type { MessageFormat } from '../../message/index.js';
import type { ClientInfo } from '../presence/client-info.js';

/** A place in the history of a channel. */
export interface StreamPosition {
  /** Counts the channel's publications from 1; 0 before the first. */
  readonly offset: number;
  /** Names the history that the offset belongs to: it is another one after the store has forgotten the channel. */
  readonly epoch: string;
}

/**
 * What the fan-out carries: a message, the coming or going of a client (`info` says whose), or a word between nodes, which
 * travels on channels that no client can subscribe to.
 */
export type PublicationKind = 'message' | 'join' | 'leave' | 'control';

/** What a publication may have besides. */
export interface PublicationExtras {
  readonly kind?: PublicationKind;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly info?: ClientInfo | undefined;
  readonly delta?: boolean;
  readonly offset?: number;
  readonly epoch?: string;
  readonly previous?: Buffer | undefined;
}

const NOTHING: PublicationExtras = {};

/**
 * One message on its way to the subscribers of a channel on this process. One object serves all of them.
 *
 * `frames` is the hot path's cache: each wire format owns a slot (an index that it takes once at start-up), encodes on
 * first use and finds the bytes there for every further subscriber.
 */
export class Publication implements StreamPosition {
  readonly frames: (Buffer | undefined)[] = [];
  readonly kind: PublicationKind;
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** The client that published it, or that comes or goes. */
  readonly info: ClientInfo | undefined;
  /** Subscribers that asked for it may get the difference from `previous`. */
  readonly delta: boolean;
  /** Its place in the history of the channel; 0 and an empty epoch where it has none. */
  readonly offset: number;
  readonly epoch: string;
  /** The data of the publication at `offset - 1`, where `delta` asks for them and the history still has them. */
  readonly previous: Buffer | undefined;

  constructor(
    readonly channel: string,
    readonly data: Buffer,
    readonly format: MessageFormat,
    /** The message id; absent where nobody needs to tell duplicates. */
    readonly id: string | undefined,
    /** Unix time in ms at which the message was asked for, and at which it was due: for the latency histograms. */
    readonly createdAt: number,
    readonly dueAt: number | undefined,
    /** Which way it came, for the metrics. */
    readonly lane: Lane,
    /** Unix time in ms after which it is dropped instead of delivered. */
    readonly expiresAt?: number | undefined,
    extras: PublicationExtras = NOTHING,
  ) {
    this.kind = extras.kind ?? 'message';
    this.tags = extras.tags;
    this.info = extras.info;
    this.delta = extras.delta ?? false;
    this.offset = extras.offset ?? 0;
    this.epoch = extras.epoch ?? '';
    this.previous = extras.previous;
  }

  /** The same publication with its place in the history. */
  at({ offset, epoch }: StreamPosition, previous: Buffer | undefined): Publication {
    const { channel, data, format, id, createdAt, dueAt, lane, expiresAt, kind, tags, info, delta } = this;
    const extras = { kind, tags, info, delta, offset, epoch, previous };
    return new Publication(channel, data, format, id, createdAt, dueAt, lane, expiresAt, extras);
  }
}

/** By position: the wire form holds the index, so a new lane goes to the end. */
export const LANES = ['instant', 'delayed', 'direct'] as const;

export type Lane = (typeof LANES)[number];
