import { Logger } from '@nestjs/common';
import type { Publication, Subscriber, ClientInfo } from '../../../../delivery/index.js';
import type { ClientContext } from '../../../auth/attempts.js';
import { CarillonError } from '../../../../errors.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import { closeCodes } from '../close-codes.js';
import type { PublicationFormat } from '../../../connection/publication-format.js';
import { type TimerWheel, WheelEntry } from '../../../connection/timer-wheel.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import { MALFORMED, type CommandTaker, CommandQueue, type QueuedCommand } from './command-queue.js';
import type { Codec, DecodedFrame } from '../codec/codec.js';
import type { ClientOptions } from '../centrifugo.options.js';
import type { CommandOf, Method, Requests } from '../codec/commands.js';
import { CommandRefusedError, DisconnectError, replyErrors, type ReplyError } from '../centrifugo.errors.js';
import type { PublicationFormats } from '../codec/publication-formats.js';
import type { AnsweredMethod, Pushes, PushKind, Results } from '../codec/replies.js';
import type { SessionTransport } from './session-transport.js';
import type { SubscriptionHost, SubscriptionOwner } from '../subscriptions/subscription-terms.js';
import { Subscriptions } from '../subscriptions/subscriptions.js';

/**
 * Carries out one kind of command and answers it, or throws.
 * @throws CommandRefusedError, DisconnectError; any other error is answered as an internal one
 */
export type Handler<M extends Method> = (
  session: Session,
  id: number,
  request: Requests[M],
) => Promise<void> | undefined;

export type Handlers = { readonly [M in Method]: Handler<M> };

/** What all sessions of a process share. */
export interface SessionHost extends SubscriptionHost {
  readonly options: ClientOptions;
  readonly wheel: TimerWheel;
  readonly handlers: Handlers;
  /** Whether one more command is within the rates of the connection, its user and its address. */
  admitCommand(session: Session): boolean;
  /** The session takes no further part. Called once. */
  onEnded(session: Session): void;
}

/**
 * Where a session is in its life. `refused`: its connect was answered with an error, nothing more is read from it, and it is
 * cut if the client does not close.
 */
export type Phase = 'new' | 'connecting' | 'connected' | 'refused' | 'over';

/** How long a client whose connect was refused may stay, in ms. */
const REFUSED_STAY_MS = 5_000;

const logger = new Logger('Centrifugo');

/**
 * One client of the protocol, from its first command to its end, whatever carries it. Commands are carried out one after
 * another, in the order of the client. It has one place in the timer wheel, for whatever comes next.
 */
export class Session extends WheelEntry implements SubscriptionOwner, Subscriber, CommandTaker {
  readonly subscriptions = new Subscriptions();
  /** Empty for an anonymous client. */
  user = '';
  /** What others see of the client with what it does: JSON, or bytes. */
  info: Buffer | undefined;
  /** JSON that the decision about its connect keeps for later ones. */
  meta: Buffer | undefined;
  /** Unix time in seconds; 0 for never. */
  expireAt = 0;
  /** When it became the only connection of its user, see `SingleConnectionPolicy`; 0 for never. */
  takeoverAt = 0;
  /** State of the rate limit by connection. */
  commandRate = 0;
  phase: Phase = 'new';
  readonly #commands = new CommandQueue(this);
  /** When the presence is to be renewed, by the clock of the wheel: that of the store goes on if ours is set back. */
  #renewsAt = Infinity;
  /** When it is looked for what is due, by the same clock. */
  #wakesAt = Infinity;

  constructor(
    readonly transport: SessionTransport,
    private readonly host: SessionHost,
    readonly context: ClientContext,
  ) {
    super();
    host.wheel.schedule(this, host.options.staleCloseDelayMs);
  }

  get id(): string {
    return this.transport.id;
  }

  /** The client as others see it. */
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

  /** Takes a frame of the client. */
  take(frame: DecodedFrame): void {
    this.#commands.add(frame);
  }

  answer<M extends AnsweredMethod>(id: number, method: M, result: Results[M]): void {
    if (!this.isOver) this.transport.send(this.transport.codec.encodeResult(id, method, result));
  }

  refuse(id: number, error: ReplyError): void {
    if (!this.isOver) this.transport.send(this.transport.codec.encodeError(id, error));
  }

  push<K extends PushKind>(kind: K, channel: string, body: Pushes[K]): void {
    if (this.isConnected) this.transport.send(this.transport.codec.encodePush(kind, channel, body));
  }

  pushMovement(kind: 'join' | 'leave', channel: string, info: ClientInfo): void {
    this.transport.sendShared(this.formats.ofMovement(kind, channel, info));
  }

  deliver(publication: Publication, format: PublicationFormat): void {
    this.transport.deliver(publication, format);
  }

  /** A message to the user or to this connection, outside of channels. */
  receive(publication: Publication): void {
    if (this.isConnected) this.transport.deliver(publication, this.formats.message);
  }

  /** The client has been told that it is connected. */
  establish(): void {
    // Telling it may have been the end: of a client that does not read.
    if (this.isOver) return;
    this.phase = 'connected';
    this.#reschedule();
  }

  close(code: CloseCode): void {
    if (!this.isOver) this.transport.close(code);
  }

  /** The transport is gone, or about to be: ends everything. Does nothing the second time. */
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

  /** Sees to it that a subscription is ended and its presence renewed in time. Waking too early does no harm. */
  attendTo({ hasPresence, endsAt }: ClientSubscription): void {
    if (hasPresence && this.#renewsAt === Infinity) this.#renewsAt = this.#nextRenewal();
    this.#wakeBy(Math.min(this.#onWheel(endsAt), this.#renewsAt));
  }

  /** Spread over a quarter of the interval: all clients of the process do it then. */
  renewPresenceSoon(): void {
    const spreadMs = this.host.options.presenceUpdateIntervalMs / 4;
    this.#renewsAt = Math.min(this.#renewsAt, this.host.wheel.now + Math.random() * spreadMs);
    this.#wakeBy(this.#renewsAt);
  }

  /** The connection ends at another time than before. */
  expiresAt(unixSeconds: number): void {
    this.expireAt = unixSeconds;
    this.#wakeBy(this.#onWheel(this.#endsAt));
  }

  override due(): void {
    this.#wakesAt = Infinity;
    if (this.isConnected) this.#upkeep(Date.now());
    else if (this.phase === 'refused' && !this.#goesStaleFirst) this.transport.terminate();
    else this.close(closeCodes.stale);
  }

  carryOut(command: QueuedCommand): Promise<void> | undefined {
    if (this.phase === 'refused' || this.isOver) return undefined;
    if (command === MALFORMED) this.close(closeCodes.badRequest);
    else if (command.method === 'pong') {
      if (!this.transport.pong()) this.close(closeCodes.badRequest);
    } else if ((this.phase === 'new') !== (command.method === 'connect')) this.close(closeCodes.badRequest);
    else if (this.host.admitCommand(this)) return this.#handleInTime(command);
    else if (command.method === 'connect' || command.method === 'send')
      this.close(closeCodes.tooManyRequests);
    else this.refuse(command.id, replyErrors.tooManyRequests);
    return undefined;
  }

  pause(): void {
    this.transport.pause();
  }

  resume(): void {
    this.transport.resume();
  }

  get #goesStaleFirst(): boolean {
    return this.host.options.staleCloseDelayMs < REFUSED_STAY_MS;
  }

  get #endsAt(): number {
    return this.expireAt === 0 ? Infinity : this.expireAt * 1000 + this.host.options.expiredCloseDelayMs;
  }

  /** Spread, so that clients that came together do not renew together. */
  #nextRenewal(): number {
    return this.host.wheel.now + this.host.options.presenceUpdateIntervalMs * (1 - Math.random() / 4);
  }

  #upkeep(now: number): void {
    if (this.#endsAt <= now) {
      this.close(closeCodes.connectionExpired);
      return;
    }
    const renews = this.#renewsAt <= this.host.wheel.now;
    if (renews) this.#renewsAt = Infinity;
    for (const each of this.subscriptions.toArray()) {
      if (each.endsAt <= now) each.expire();
      else if (renews && each.hasPresence && each.isLive) this.host.inBackground(each.enterPresence());
    }
    if (this.isConnected) this.#reschedule();
  }

  #reschedule(): void {
    this.host.wheel.cancel(this);
    this.#wakesAt = Infinity;
    this.#wakeBy(this.#onWheel(this.#endsAt));
    for (const each of this.subscriptions) this.attendTo(each);
  }

  #onWheel(unixMs: number): number {
    return unixMs - Date.now() + this.host.wheel.now;
  }

  #wakeBy(at: number): void {
    if (!this.isConnected || at >= this.#wakesAt) return;
    this.#wakesAt = at;
    this.host.wheel.schedule(this, Math.max(0, at - this.host.wheel.now));
  }

  /** Two large answers, as to two recoveries, are not made at once: the second would not fit. */
  #handleInTime<M extends Method>(command: CommandOf<M>): Promise<void> | undefined {
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
    else if (method === 'connect') this.#refuseConnect(id, replyOf(method, error));
    else this.refuse(id, replyOf(method, error));
  }

  /** An error instead of an answer to connect: the client is given time to close by itself. */
  #refuseConnect(id: number, error: ReplyError): void {
    if (this.isOver) return;
    this.refuse(id, error);
    this.phase = 'refused';
    for (const subscription of this.subscriptions.toArray()) subscription.end();
    if (!this.#goesStaleFirst) this.host.wheel.schedule(this, REFUSED_STAY_MS);
  }
}

/** A store that does not answer is not the client's fault, and a defect of ours is not either. */
function replyOf(method: Method, error: unknown): ReplyError {
  if (error instanceof CommandRefusedError) return error.reply;
  if (error instanceof CarillonError) logger.warn(`${method} failed: ${error.code}: ${error.message}`);
  else logger.error(`${method} failed`, error instanceof Error ? error.stack : error);
  return replyErrors.internal;
}
