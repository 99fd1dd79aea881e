import type { ChannelRule, Publication, Subscriber, ClientInfo } from '../../../../delivery/index.js';
import type { ClientContext } from '../../../auth/attempts.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import { closeCodes } from '../close-codes.js';
import type { PublicationFormat } from '../../../connection/publication-format.js';
import { type TimerWheel, WheelEntry } from '../../../connection/timer-wheel.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import { type CommandExecutor, CommandQueue, type QueuedCommand } from './command-queue.js';
import { MALFORMED, type Codec, type FrameReader } from '../codec/codec.js';
import type { ClientOptions } from '../centrifugo.options.js';
import type { CommandOf, Method, Requests } from '../codec/commands.js';
import { DisconnectError, replyErrors, type ReplyError } from '../centrifugo.errors.js';
import type { PublicationFormats } from '../codec/publication-formats.js';
import type { AnsweredMethod, Pushes, PushKind, Results } from '../codec/replies.js';
import { failureReply } from './failure-reply.js';
import type { SessionTransport } from './session-transport.js';
import { slowDown } from './slow-down.js';
import type { SubscriptionHost, SubscriptionOwner } from '../subscriptions/subscription-terms.js';
import { Subscriptions } from '../subscriptions/subscriptions.js';

/**
 * Executes one kind of command and replies to it.
 * @throws CommandRefusedError, DisconnectError; for any other error the reply is an internal error
 */
export type Handler<M extends Method> = (
  session: Session,
  id: number,
  request: Requests[M],
) => Promise<void> | undefined;

export type Handlers = { readonly [M in Method]: Handler<M> };

/** Renews what expires, where a backend does so and not the clients. */
export interface Renewal {
  /** Whether connections are renewed. */
  readonly ofConnections: boolean;
  /** Whether the subscriptions in channels with a rule are renewed. */
  ofSubscriptions(rule: ChannelRule): boolean;
  renewConnection(session: Session): void;
  renewSubscription(session: Session, subscription: ClientSubscription): void;
}

/** The objects that all sessions of a process share. */
export interface SessionHost extends SubscriptionHost {
  readonly options: ClientOptions;
  readonly wheel: TimerWheel;
  readonly handlers: Handlers;
  readonly renewal: Renewal;
  /** Counts a command. Returns how long it has to wait for the limits of its connection, in ms. */
  takeCommand(session: Session): number;
  /** Counts it for the limits that connections share. Returns how long it has to wait, in ms; undefined if it is refused. */
  takeShared(session: Session): number | undefined;
  /** Counts a command that was refused. Returns false if the client has sent too many. */
  countRefused(session: Session): boolean;
  /** The session has ended. Called once. */
  onEnded(session: Session): void;
}

/**
 * The state of a session. `refused`: the reply to its connect was an error. It executes no other command, and its connection is
 * terminated if the client does not close it.
 */
export type Phase = 'new' | 'connecting' | 'connected' | 'refused' | 'over';

/** How long a client whose connect was refused may stay connected, in ms. */
const REFUSED_STAY_MS = 5_000;

/**
 * One client of the protocol, on any transport. Its commands are executed one after another. It has one entry in the timer wheel, for
 * whichever is due first: stale connect, expiry, or the renewal of its presence.
 */
export class Session extends WheelEntry implements SubscriptionOwner, Subscriber, CommandExecutor {
  readonly subscriptions = new Subscriptions();
  /** Empty for an anonymous client. */
  user = '';
  /** Others see it with the client's joins, leaves, presence and publications: JSON, or bytes. */
  info: Buffer | undefined;
  /** Kept from the decision about its connect for later attempts. */
  meta: Buffer | undefined;
  /** Unix time in seconds; 0 for never. */
  expireAt = 0;
  /** A backend is asked whether the connection is renewed. It does not expire in the meantime. */
  isRenewing = false;
  /** When it became the only connection of its user, see `SingleConnectionPolicy`; 0 for never. */
  takeoverAt = 0;
  /** The state of the rate limit per connection, and of the one for refused commands. */
  commandRate = 0;
  refusedRate = 0;
  /** The number of refused commands since a pause. */
  refused = 0;
  phase: Phase = 'new';
  readonly #commands = new CommandQueue(this);
  /** When the presence has to be renewed, in the time of the wheel, which does not jump if the system clock is changed. */
  #renewsAt = Infinity;
  /** When the wheel calls {@link due}, in the same time. */
  #wakesAt = Infinity;

  constructor(
    readonly transport: SessionTransport,
    private readonly host: SessionHost,
    /** Set again by the connect command, which may add headers to it. */
    public context: ClientContext,
  ) {
    super();
    host.wheel.schedule(this, host.options.staleCloseDelayMs);
  }

  get id(): string {
    return this.transport.id;
  }

  /** Returns the client as others see it. */
  clientInfo(chanInfo: Buffer | undefined): ClientInfo {
    const { user, id: client, info } = this;
    return { user, client, ...(info && { connInfo: info }), ...(chanInfo && { chanInfo }) };
  }

  get encoding(): Codec['encoding'] {
    return this.transport.codec.encoding;
  }

  get formats(): PublicationFormats {
    return this.transport.formats;
  }

  get isConnected(): boolean {
    return this.phase === 'connected';
  }

  get isOver(): boolean {
    return this.phase === 'over';
  }

  /** Executes the commands of a frame, after those of earlier frames. */
  receiveFrame(frame: FrameReader): void {
    this.#commands.add(frame);
  }

  reply<M extends AnsweredMethod>(id: number, method: M, result: Results[M]): void {
    if (!this.isOver) this.transport.send(this.transport.codec.encodeResult(id, method, result));
  }

  refuse(id: number, error: ReplyError): void {
    if (this.isOver) return;
    this.transport.send(this.transport.codec.encodeError(id, error));
    if (!this.host.countRefused(this)) this.close(closeCodes.tooManyErrors);
  }

  push<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): void {
    if (this.isConnected) this.transport.send(this.transport.codec.encodePush(kind, channel, body));
  }

  pushMovement(kind: 'join' | 'leave', channel: string, info: ClientInfo): void {
    this.transport.sendShared(this.formats.ofMovement(kind, channel, info));
  }

  deliver(publication: Publication, format: PublicationFormat): boolean {
    return this.transport.deliver(publication, format);
  }

  leftOut(channel: string, count: number): void {
    this.transport.leftOut(channel, count);
  }

  /** Receives a message to the user or to this connection, outside of channels. */
  receive(publication: Publication): void {
    if (this.isConnected) this.transport.deliver(publication, this.formats.message);
  }

  /** Called after the reply to connect was sent. */
  markConnected(): void {
    // The reply may have exceeded the outbox of a slow client.
    if (this.isOver) return;
    this.phase = 'connected';
    this.#reschedule();
  }

  close(code: CloseCode): void {
    if (!this.isOver) this.transport.close(code);
  }

  /** Ends the session and its subscriptions. Called when the transport is closed or about to close. May be called twice. */
  end(): void {
    if (this.isOver) return;
    this.phase = 'over';
    this.host.wheel.cancel(this);
    for (const subscription of this.subscriptions.toArray()) subscription.end();
    this.host.onEnded(this);
  }

  forget(channel: string): void {
    this.subscriptions.delete(channel);
  }

  /** Makes sure that a subscription expires and its presence is renewed in time. */
  scheduleUpkeep({ hasPresence, endsAt }: ClientSubscription): void {
    if (hasPresence && this.#renewsAt === Infinity) this.#renewsAt = this.#nextRenewal();
    this.#wakeBy(Math.min(this.#onWheel(endsAt), this.#renewsAt));
  }

  /** Renews the presence within a quarter of the interval, at a random time, because all clients of the process do so. */
  renewPresenceSoon(): void {
    const spreadMs = this.host.options.presenceUpdateIntervalMs / 4;
    this.#renewsAt = Math.min(this.#renewsAt, this.host.wheel.now + Math.random() * spreadMs);
    this.#wakeBy(this.#renewsAt);
  }

  /** Changes the expiry of the connection. 0: it does not expire. */
  setExpiry(unixSeconds: number): void {
    this.expireAt = unixSeconds;
    this.#wakeBy(this.#onWheel(this.#endsAt));
  }

  override due(): void {
    this.#wakesAt = Infinity;
    if (this.isConnected) this.#upkeep(Date.now());
    else if (this.phase === 'refused' && !this.#goesStaleFirst) this.transport.terminate();
    else this.close(closeCodes.stale);
  }

  execute(command: QueuedCommand): Promise<void> | undefined {
    if (this.isOver) return undefined;
    if (this.phase === 'refused') return this.#drop();
    if (command === MALFORMED) this.close(closeCodes.badRequest);
    else if (command.method === 'pong') {
      if (!this.transport.pong()) this.close(closeCodes.badRequest);
    } else if ((this.phase === 'new') !== (command.method === 'connect')) this.close(closeCodes.badRequest);
    else {
      const waitMs = this.host.takeCommand(this);
      if (waitMs === 0) return this.#admit(command);
      return slowDown(this.transport, this.host.wheel, waitMs).then(() => this.#admit(command));
    }
    return undefined;
  }

  get #goesStaleFirst(): boolean {
    return this.host.options.staleCloseDelayMs < REFUSED_STAY_MS;
  }

  get #endsAt(): number {
    if (this.expireAt === 0 || this.isRenewing) return Infinity;
    const delayMs = this.host.renewal.ofConnections ? 0 : this.host.options.expiredCloseDelayMs;
    return this.expireAt * 1000 + delayMs;
  }

  /** Random, so that clients that connected together do not renew together. */
  #nextRenewal(): number {
    return this.host.wheel.now + this.host.options.presenceUpdateIntervalMs * (1 - Math.random() / 4);
  }

  #upkeep(now: number): void {
    if (this.#endsAt <= now) {
      if (!this.host.renewal.ofConnections) {
        this.close(closeCodes.connectionExpired);
        return;
      }
      this.host.renewal.renewConnection(this);
    }
    const renews = this.#renewsAt <= this.host.wheel.now;
    if (renews) this.#renewsAt = Infinity;
    for (const each of this.subscriptions.toArray()) {
      if (each.endsAt <= now) this.#expire(each);
      else if (renews && each.hasPresence && each.isLive) this.host.inBackground(each.enterPresence());
    }
    if (this.isConnected) this.#reschedule();
  }

  #expire(subscription: ClientSubscription): void {
    if (subscription.isRenewedByServer) this.host.renewal.renewSubscription(this, subscription);
    else subscription.expire();
  }

  #reschedule(): void {
    this.host.wheel.cancel(this);
    this.#wakesAt = Infinity;
    this.#wakeBy(this.#onWheel(this.#endsAt));
    for (const each of this.subscriptions) this.scheduleUpkeep(each);
  }

  #onWheel(unixMs: number): number {
    return unixMs - Date.now() + this.host.wheel.now;
  }

  #wakeBy(at: number): void {
    if (!this.isConnected || at >= this.#wakesAt) return;
    this.#wakesAt = at;
    this.host.wheel.schedule(this, Math.max(0, at - this.host.wheel.now));
  }

  /** Drops a command after a refused connect. It has no reply, but its sender waits as for others. */
  #drop(): Promise<void> {
    if (!this.host.countRefused(this)) this.transport.terminate();
    return slowDown(this.transport, this.host.wheel, this.host.takeCommand(this));
  }

  #admit<M extends Method>(command: CommandOf<M>): Promise<void> | undefined {
    if (this.isOver) return undefined;
    const waitMs = this.host.takeShared(this);
    if (waitMs === 0) return this.#handleWhenCaughtUp(command);
    if (waitMs !== undefined)
      return slowDown(this.transport, this.host.wheel, waitMs).then(() => this.#handleWhenCaughtUp(command));
    if (command.method === 'connect' || command.method === 'send') this.close(closeCodes.tooManyRequests);
    else this.refuse(command.id, replyErrors.tooManyRequests);
    return undefined;
  }

  /**
   * Waits until a previous large reply (to a recovery) has left the outbox, because a second one would exceed it, and while too much
   * waits for all clients.
   */
  #handleWhenCaughtUp<M extends Method>(command: CommandOf<M>): Promise<void> | undefined {
    if (this.isOver) return undefined;
    const caughtUp = this.transport.caughtUp();
    if (caughtUp === undefined) return this.#handle(command);
    return caughtUp.then(() => (this.isOver ? undefined : this.#handle(command)));
  }

  #handle<M extends Method>({ id, method, request }: CommandOf<M>): Promise<void> | undefined {
    const handler = this.host.handlers[method] as Handler<M>;
    try {
      return handler(this, id, request)?.catch((error: unknown) => this.#onFailed(id, method, error));
    } catch (error) {
      this.#onFailed(id, method, error);
      return undefined;
    }
  }

  #onFailed(id: number, method: Method, error: unknown): void {
    if (error instanceof DisconnectError) this.close(error.close);
    else if (method === 'connect') this.#refuseConnect(id, failureReply(method, error));
    else this.refuse(id, failureReply(method, error));
  }

  /** Replies to connect with an error, and gives the client time to close the connection. */
  #refuseConnect(id: number, error: ReplyError): void {
    if (this.isOver) return;
    this.refuse(id, error);
    this.phase = 'refused';
    for (const subscription of this.subscriptions.toArray()) subscription.end();
    if (!this.#goesStaleFirst) this.host.wheel.schedule(this, REFUSED_STAY_MS);
  }
}
