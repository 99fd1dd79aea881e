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

/** The part of a connection that a subscription uses. */
export interface SubscriptionOwner {
  readonly id: string;
  readonly encoding: Codec['encoding'];
  readonly formats: PublicationFormats;
  /** Returns the client as others see it. */
  clientInfo(chanInfo: Buffer | undefined): ClientInfo;
  /** Returns whether the publication is on its way to the client. */
  deliver(publication: Publication, format: PublicationFormat): boolean;
  /** Publications of the channel are left out of an answer, because the encoding cannot carry them. */
  leftOut(channel: string, count: number): void;
  push<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): void;
  /** Pushes a join or a leave. Many connections receive the same one. */
  pushMovement(kind: 'join' | 'leave', channel: string, info: ClientInfo): void;
  close(code: CloseCode): void;
  /** Called if the store may have lost the presence. */
  renewPresenceSoon(): void;
  /** Called when the subscription to the channel has ended. */
  forget(channel: string): void;
}

/** The objects that all subscriptions of a process share. */
export interface SubscriptionHost {
  readonly delivery: Delivery;
  readonly presence: Presence;
  readonly positions: PositionWatch;
  readonly options: {
    readonly presenceTtlMs: number;
    readonly expiredSubCloseDelayMs: number;
    readonly recoveryMaxPublicationLimit: number;
  };
  /** How many bytes of publications may be held while a subscription begins. */
  readonly heldMaxBytes: number;
  /** Logs a failure of work that nothing waits for. */
  inBackground(work: Promise<unknown>): void;
}

/** The terms of a subscription, from the decision about it and the rule of its channel. */
export interface SubscriptionTerms {
  readonly channel: string;
  readonly rule: ChannelRule;
  readonly features: SubscriptionFeatures;
  /** The server made it. The client is notified by a push, or in the reply to connect. */
  readonly serverSide: boolean;
  /** The decision about the client's connect includes it. */
  readonly grantedAtConnect: boolean;
  readonly info: Buffer | undefined;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt: number;
  /** The server renews it when it expires, and not the client. */
  readonly renewedByServer: boolean;
  readonly delta: boolean;
  readonly filter: TagsFilter | undefined;
}
