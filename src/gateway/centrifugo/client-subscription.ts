import type {
  ChannelRule,
  ClientInfo,
  Delivery,
  HistoryEntry,
  Presence,
  Publication,
  StreamPosition,
  Subscriber,
  SubscriptionFeatures,
} from '../../delivery/index.js';
import { closeCodes, type CloseCode } from '../close-codes.js';
import type { FrameFormat } from '../frame.js';
import type { Codec } from './codec.js';
import { unsubscribeReasons } from './errors.js';
import type { Positioned, PositionWatch } from './position-watch.js';
import { canSpeak, inDeltas, onWireWithEpoch, type PublicationFormats } from './publication-formats.js';
import { recoverCache, recoverStream, type ReadHistory, type Recovery } from './recovery.js';
import type { CodeAndReason, Pushes, PushKind, SubscribeResult } from './replies.js';
import type { TagsFilter } from './tags-filter.js';

/** What a subscription needs of the connection that it belongs to. */
export interface SubscriptionOwner {
  readonly id: string;
  readonly encoding: Codec['encoding'];
  readonly formats: PublicationFormats;
  /** The client as others see it. */
  clientInfo(chanInfo: Buffer | undefined): ClientInfo;
  deliver(publication: Publication, format: FrameFormat): void;
  push<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): void;
  /** A join or a leave: many connections get the same one. */
  pushMovement(kind: 'join' | 'leave', channel: string, info: ClientInfo): void;
  close(code: CloseCode): void;
  /** The subscription has ended. */
  forget(subscription: ClientSubscription): void;
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
    readonly subscribeTimeoutMs: number;
  };
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
  /** It stands for as long as the connection's token lists it. */
  readonly fromToken: boolean;
  readonly info: Buffer | undefined;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt: number;
  readonly delta: boolean;
  readonly filter: TagsFilter | undefined;
}

/** How many publications may wait for the beginning of a subscription. */
const MAX_HELD = 10_000;

/**
 * One connection's subscription to one channel. It begins by attaching to delivery and holds what arrives; then it reads
 * where the channel stands and what the client missed. After the answer has gone to the client it lets go of what it held, and
 * from there on keeps the position: what it has seen already is dropped, and a gap ends it.
 */
export class ClientSubscription implements Subscriber, Positioned {
  offset = 0;
  epoch = '';
  expireAt: number;
  #held: Publication[] | undefined = [];
  #isOver = false;
  /** The client has the publication at `offset`, so that a patch can start from it. */
  #hasBase = false;

  constructor(
    private readonly terms: SubscriptionTerms,
    private readonly owner: SubscriptionOwner,
    private readonly host: SubscriptionHost,
  ) {
    this.expireAt = terms.expireAt;
  }

  get channel(): string {
    return this.terms.channel;
  }

  get isServerSide(): boolean {
    return this.terms.serverSide;
  }

  get isFromToken(): boolean {
    return this.terms.fromToken;
  }

  get hasPresence(): boolean {
    return this.terms.features.presence;
  }

  /** Ended, possibly while it was still beginning. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isLive(): boolean {
    return this.#held === undefined && !this.#isOver;
  }

  /** What others see of the client in this channel. */
  get info(): Buffer | undefined {
    return this.terms.info;
  }

  /**
   * Answers what the client is to be told, without what only the caller knows of. The caller hands it over and calls {@link goLive}
   * in the same turn, or {@link end}.
   * @param since where the client left off
   * @throws CarillonError where a store does not answer
   */
  async begin(since: StreamPosition | undefined): Promise<SubscribeResult> {
    const { features } = this.terms;
    await this.host.delivery.attach(this.channel, this);
    const [recovery] = await Promise.all([
      features.positioning ? this.#stand(since) : undefined,
      this.hasPresence && !this.#isOver ? this.enterPresence() : undefined,
    ]);
    const wasRecovering = since !== undefined;
    const { delta } = this.terms;
    if (recovery === undefined) return { wasRecovering, delta };
    const { position, recovered, publications } = recovery;
    ({ offset: this.offset, epoch: this.epoch } = position);
    this.#hasBase = publications.length > 0;
    return {
      recoverable: features.recovery,
      positioned: true,
      epoch: position.epoch,
      // A recovered client moves on from its own position by the publications.
      offset: recovered && since !== undefined ? since.offset : position.offset,
      recovered,
      publications: this.#onWire(publications),
      wasRecovering,
      delta,
    };
  }

  /** The client knows of the subscription: lets through what came meanwhile, and tells the others. */
  goLive(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (held.length > MAX_HELD) {
      this.loseState();
      return;
    }
    for (const publication of held) this.receive(publication);
    if (this.#isOver) return;
    const { features } = this.terms;
    if (features.positioning) this.host.positions.add(this);
    if (features.joinLeave)
      this.host.inBackground(this.host.delivery.publishJoin(this.channel, this.#clientInfo));
  }

  receive(publication: Publication): void {
    if (this.#held !== undefined) {
      if (this.#held.length <= MAX_HELD) this.#held.push(publication);
      return;
    }
    if (this.#isOver) return;
    const { filter, delta, features } = this.terms;
    const follows = publication.offset === this.offset + 1;
    if (publication.offset > 0) {
      if (features.positioning && !this.#advances(publication, follows)) return;
      this.offset = publication.offset;
    }
    if (filter !== undefined && !filter(publication.tags ?? NO_TAGS)) return;
    const { formats } = this.owner;
    if (!delta) this.owner.deliver(publication, formats.plain);
    else {
      this.owner.deliver(publication, this.#hasBase && follows ? formats.patch : formats.whole);
      this.#hasBase = publication.offset > 0;
    }
  }

  receiveJoin(info: ClientInfo): void {
    if (this.isLive && this.terms.features.pushJoinLeave) this.owner.pushMovement('join', this.channel, info);
  }

  receiveLeave(info: ClientInfo): void {
    if (this.isLive && this.terms.features.pushJoinLeave)
      this.owner.pushMovement('leave', this.channel, info);
  }

  interrupted(): void {
    if (this.terms.features.positioning) this.host.positions.hurry(this.channel);
  }

  loseState(): void {
    this.#fail(unsubscribeReasons.insufficientState, closeCodes.insufficientState);
  }

  enterPresence(): Promise<void> {
    return this.host.presence.add(this.channel, this.#clientInfo, this.host.options.presenceTtlMs);
  }

  /** When it ends unless its token is renewed: Unix time in ms, or infinity. */
  get endsAt(): number {
    return this.expireAt === 0 ? Infinity : this.expireAt * 1000 + this.host.options.expiredSubCloseDelayMs;
  }

  expire(): void {
    this.#fail(unsubscribeReasons.subscriptionExpired, closeCodes.subscriptionExpired);
  }

  /** Ends it without a word to the client. */
  end(): void {
    if (this.#isOver) return;
    const wasLive = this.isLive;
    this.#isOver = true;
    this.#held = undefined;
    const { delivery, positions, presence } = this.host;
    const { features } = this.terms;
    delivery.detach(this.channel, this);
    positions.delete(this);
    if (this.hasPresence) this.host.inBackground(presence.remove(this.channel, this.owner.id));
    if (wasLive && features.joinLeave)
      this.host.inBackground(delivery.publishLeave(this.channel, this.#clientInfo));
    this.owner.forget(this);
  }

  get #clientInfo(): ClientInfo {
    return this.owner.clientInfo(this.terms.info);
  }

  /** Ends it for a reason that the client can mend: by subscribing again, or by connecting again where the server subscribed it. */
  #fail(reason: CodeAndReason, code: CloseCode): void {
    if (this.terms.serverSide) {
      this.owner.close(code);
      return;
    }
    this.end();
    this.owner.push('unsubscribe', this.channel, reason);
  }

  #advances({ offset, epoch }: Publication, follows: boolean): boolean {
    if (this.epoch === '') this.epoch = epoch;
    if (follows && epoch === this.epoch) return true;
    if (epoch !== this.epoch || offset > this.offset) this.loseState();
    return false;
  }

  #stand(since: StreamPosition | undefined): Promise<Recovery> {
    const { rule, features } = this.terms;
    const { forceRecoveryMode, autoCacheRecover } = rule.options;
    const read: ReadHistory = (query) => this.host.delivery.history(this.channel, query);
    const inCache = forceRecoveryMode === 'cache';
    if (features.recovery && inCache && (since !== undefined || autoCacheRecover))
      return recoverCache(read, since ?? NOWHERE);
    if (features.recovery && since !== undefined)
      return recoverStream(read, since, this.host.options.recoveryMaxPublicationLimit);
    return read({ limit: 0 }).then((position) => ({ recovered: false, publications: [], position }));
  }

  #onWire(publications: readonly HistoryEntry[]): SubscribeResult['publications'] {
    const { filter, delta } = this.terms;
    const { encoding } = this.owner;
    if (!canSpeak(encoding, publications, delta)) {
      this.owner.close(closeCodes.inappropriateProtocol);
      return [];
    }
    if (delta) return inDeltas(publications, encoding);
    const wanted =
      filter === undefined ? publications : publications.filter(({ tags }) => filter(tags ?? NO_TAGS));
    return wanted.map((publication) => onWireWithEpoch(publication, this.epoch, encoding));
  }
}

const NO_TAGS = {};
const NOWHERE: StreamPosition = { offset: 0, epoch: '' };
