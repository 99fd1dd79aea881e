import type {
  ChannelRule,
  Delivery,
  Presence,
  Publication,
  SubscriptionFeatures,
  ClientInfo,
} from '../../../../delivery/index.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import type { PublicationFormat } from '../../../connection/publication-format.js';
import type { Codec } from '../codec/codec.js';
import type { PositionWatch } from './position-watch.js';
import type { PublicationFormats } from '../codec/publication-formats.js';
import type { Pushes, PushKind } from '../codec/replies.js';
import type { TagsFilter } from './tags-filter.js';

/** What a subscription needs of the connection that it belongs to. */
export interface SubscriptionOwner {
  readonly id: string;
  readonly encoding: Codec['encoding'];
  readonly formats: PublicationFormats;
  /** The client as others see it. */
  clientInfo(chanInfo: Buffer | undefined): ClientInfo;
  deliver(publication: Publication, format: PublicationFormat): void;
  push<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): void;
  /** A join or a leave: many connections get the same one. */
  pushMovement(kind: 'join' | 'leave', channel: string, info: ClientInfo): void;
  close(code: CloseCode): void;
  /** The store may have lost the presence, or could not be told of it. */
  renewPresenceSoon(): void;
  /** The subscription to the channel has ended. */
  forget(channel: string): void;
}

/** What all subscriptions of a process share. */
export interface SubscriptionHost {
  readonly delivery: Delivery;
  readonly presence: Presence;
  readonly positions: PositionWatch;
  readonly options: {
    readonly presenceTtlMs: number;
    readonly expiredSubCloseDelayMs: number;
    readonly recoveryMaxPublicationLimit: number;
  };
  /** What may be held of a channel while a subscription to it begins. */
  readonly heldMaxBytes: number;
  /** Work that nobody waits for; a failure is logged. */
  inBackground(work: Promise<unknown>): void;
}

/** What the client may have, as its token and the rule of the channel say. */
export interface SubscriptionTerms {
  readonly channel: string;
  readonly rule: ChannelRule;
  readonly features: SubscriptionFeatures;
  /** Made by the server; the client hears of it by a push or in the answer to connect. */
  readonly serverSide: boolean;
  /** The decision about the client's connect includes it. */
  readonly grantedAtConnect: boolean;
  readonly info: Buffer | undefined;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt: number;
  readonly delta: boolean;
  readonly filter: TagsFilter | undefined;
}
