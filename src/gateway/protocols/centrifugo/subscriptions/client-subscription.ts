import type {
  ClientInfo,
  HistoryEntry,
  Publication,
  StreamPosition,
  Subscriber,
} from '../../../../delivery/index.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import { closeCodes } from '../close-codes.js';
import type { SubRefreshAllowed } from '../../../auth/decisions.js';
import { unsubscribeReasons } from '../centrifugo.errors.js';
import { HeldPublications } from './held-publications.js';
import type { OwnPublication } from './own-publication.js';
import type { Positioned } from './position-watch.js';
import { encodableOf, inDeltas, onWireWithEpoch } from '../codec/publication-formats.js';
import { recoverCache, recoverStream, type ReadHistory, type Recovery } from './recovery.js';
import type { CodeAndReason, SubscribeResult } from '../codec/replies.js';
import type { SubscriptionHost, SubscriptionOwner, SubscriptionTerms } from './subscription-terms.js';

/**
 * The subscription of one connection to one channel. It first attaches to delivery and holds publications back. Then it reads the
 * position of the channel and the missed publications. After the reply was sent to the client, it releases the held publications. From
 * then on it tracks its position: it drops publications that the client has, and ends if one is missing.
 */
export class ClientSubscription implements Subscriber, Positioned {
  offset = 0;
  epoch = '';
  #expireAt: number;
  #info: Buffer | undefined;
  /** Undefined when the client has the reply to its subscription. */
  #held: HeldPublications | undefined;
  #isOver = false;
  /** Whether the client has the publication at `offset`, so that a patch can be applied to it. */
  #hasBase = false;
  /** A publication of this client that has not come back yet. */
  awaited: OwnPublication | undefined;
  /** A backend is asked whether it is renewed. It does not expire in the meantime. */
  isRenewing = false;

  constructor(
    private readonly terms: SubscriptionTerms,
    private readonly owner: SubscriptionOwner,
    private readonly host: SubscriptionHost,
  ) {
    this.#expireAt = terms.expireAt;
    this.#info = terms.info;
    this.#held = new HeldPublications(host.heldMaxBytes);
  }

  get channel(): string {
    return this.terms.channel;
  }

  get isServerSide(): boolean {
    return this.terms.serverSide;
  }

  get isGrantedAtConnect(): boolean {
    return this.terms.grantedAtConnect;
  }

  get hasPresence(): boolean {
    return this.terms.features.presence;
  }

  /** Whether it has ended, maybe before it was live. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isLive(): boolean {
    return this.#held === undefined && !this.#isOver;
  }

  /** Others see it with the client in this channel. */
  get info(): Buffer | undefined {
    return this.#info;
  }

  /** Unix time in seconds; 0 for never. */
  get expireAt(): number {
    return this.#expireAt;
  }

  /** Changes the expiry and the info. Others see the new info after the next renewal of the presence. */
  renew({ expireAt = 0, info }: Pick<SubRefreshAllowed, 'expireAt' | 'info'>): void {
    this.#expireAt = expireAt;
    // A copy: otherwise all bytes of the token would be kept with it.
    this.#info = info && Buffer.copyBytesFrom(info);
  }

  /**
   * Returns the result for the client, without expiry and data, which the caller adds. The caller sends it and calls {@link goLive} in
   * the same turn, or calls {@link end}.
   * @param lastPosition the last position of the client
   * @throws CarillonError if a store does not reply
   */
  async begin(lastPosition: StreamPosition | undefined): Promise<SubscribeResult> {
    const { features } = this.terms;
    const since = lastPosition ?? (this.#recoversUnasked ? NOWHERE : undefined);
    await this.host.delivery.attach(this.channel, this);
    const [recovery] = await Promise.all([
      features.positioning ? this.#readPosition(since) : undefined,
      this.hasPresence && !this.#isOver ? this.enterPresence() : undefined,
    ]);
    const wasRecovering = since !== undefined;
    const { delta } = this.terms;
    if (recovery === undefined) return { wasRecovering, delta };
    const { position, recovered } = recovery;
    ({ offset: this.offset, epoch: this.epoch } = position);
    const publications = this.#encodable(recovery.publications);
    // A patch applies to the publication at the position only.
    this.#hasBase = publications.length > 0 && publications.at(-1) === recovery.publications.at(-1);
    const hasAll = publications.length === recovery.publications.length;
    return {
      recoverable: features.recovery,
      positioned: true,
      epoch: position.epoch,
      // A recovered client counts on from its own position, unless nothing of what it missed can be sent to it.
      offset:
        recovered && since !== undefined && (hasAll || publications.length > 0)
          ? since.offset
          : position.offset,
      recovered,
      publications: this.#onWire(publications),
      wasRecovering,
      delta,
    };
  }

  /** Called when the result was sent to the client: delivers the held publications and publishes the join. */
  goLive(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    if (held.publications === undefined) {
      this.loseState();
      return;
    }
    for (const publication of held.publications) this.receive(publication);
    if (this.#isOver) return;
    const { features } = this.terms;
    if (features.positioning) this.host.positions.add(this);
    if (features.joinLeave)
      this.host.inBackground(this.host.delivery.publishJoin(this.channel, this.#clientInfo));
  }

  receive(publication: Publication): void {
    if (this.#held !== undefined) {
      this.#held.add(publication);
      return;
    }
    if (this.#isOver) return;
    this.#deliver(publication);
    if (this.awaited !== undefined) this.awaited.onSeen(publication.id);
  }

  #deliver(publication: Publication): void {
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
      const format = this.#hasBase && follows ? formats.patch : formats.whole;
      this.#hasBase = this.owner.deliver(publication, format) && publication.offset > 0;
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
    if (this.terms.features.positioning) this.host.positions.checkSoon(this.channel);
    if (this.hasPresence && this.isLive) this.owner.renewPresenceSoon();
  }

  loseState(): void {
    this.#fail(unsubscribeReasons.insufficientState, closeCodes.insufficientState);
  }

  enterPresence(): Promise<void> {
    return this.host.presence.add(this.channel, this.#clientInfo, this.host.options.presenceTtlMs);
  }

  get isRenewedByServer(): boolean {
    return this.terms.renewedByServer;
  }

  /** When it ends if it is not renewed: Unix time in ms, or infinity. */
  get endsAt(): number {
    if (this.expireAt === 0 || this.isRenewing) return Infinity;
    return this.expireAt * 1000 + (this.isRenewedByServer ? 0 : this.host.options.expiredSubCloseDelayMs);
  }

  expire(): void {
    this.#fail(unsubscribeReasons.subscriptionExpired, closeCodes.subscriptionExpired);
  }

  /** Ends it without notifying the client. */
  end(): void {
    if (this.#isOver) return;
    const wasLive = this.isLive;
    this.#isOver = true;
    this.#held = undefined;
    this.awaited?.giveUp();
    const { delivery, positions, presence } = this.host;
    const { features } = this.terms;
    delivery.detach(this.channel, this);
    positions.delete(this);
    if (this.hasPresence) this.host.inBackground(presence.remove(this.channel, this.owner.id));
    if (wasLive && features.joinLeave)
      this.host.inBackground(delivery.publishLeave(this.channel, this.#clientInfo));
    this.owner.forget(this.channel);
  }

  get #clientInfo(): ClientInfo {
    return this.owner.clientInfo(this.#info);
  }

  /** Ends it so that the client subscribes again, or connects again if the server made the subscription. */
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

  get #recoversUnasked(): boolean {
    const { rule, features } = this.terms;
    return features.recovery && rule.options.autoCacheRecover && rule.options.forceRecoveryMode === 'cache';
  }

  #readPosition(since: StreamPosition | undefined): Promise<Recovery> {
    const { rule, features, filter } = this.terms;
    const read: ReadHistory = (query) => this.host.delivery.history(this.channel, query);
    const limit = this.host.options.recoveryMaxPublicationLimit;
    if (!features.recovery || since === undefined)
      return read({ limit: 0 }).then((position) => ({ recovered: false, publications: [], position }));
    if (rule.options.forceRecoveryMode === 'cache') return recoverCache(read, since, filter, limit);
    return recoverStream(read, since, limit);
  }

  /** Leaves out what the client's encoding cannot carry: the position advances without it. */
  #encodable(publications: readonly HistoryEntry[]): readonly HistoryEntry[] {
    const encodable = encodableOf(this.owner.encoding, publications, this.terms.delta);
    const leftOut = publications.length - encodable.length;
    if (leftOut > 0) this.owner.leftOut(this.channel, leftOut);
    return encodable;
  }

  #onWire(publications: readonly HistoryEntry[]): SubscribeResult['publications'] {
    const { filter, delta } = this.terms;
    const { encoding } = this.owner;
    if (delta) return inDeltas(publications, encoding);
    const wanted =
      filter === undefined ? publications : publications.filter(({ tags }) => filter(tags ?? NO_TAGS));
    return wanted.map((publication) => onWireWithEpoch(publication, this.epoch, encoding));
  }
}

const NO_TAGS = {};
const NOWHERE: StreamPosition = { offset: 0, epoch: '' };
