import type { Socket } from 'node:net';
import type { Publication, Subscriber } from '../delivery/index.js';
import { closeCodes, codeOfProtocolFault, type CloseCode } from './close-codes.js';
import type { ClientSocket, SocketListener } from './client-socket.js';
import { encodeFrame, Opcode, pingFrame, type FrameFormat } from './frame.js';
import type { Handshake } from './handshake.js';
import { Heartbeat, type Pinged, type Pulse } from './heartbeat.js';
import { Outbox, type FlushQueue } from './outbox.js';
import type { RateLimit } from './rate-limit.js';

/** What all connections of a process share. */
export interface ConnectionHost {
  readonly flushQueue: FlushQueue;
  readonly pulse: Pulse;
  /** For what a client sends: messages, pings and pongs. */
  readonly inboundRate: RateLimit;
  onOpened(connection: Connection): void;
  /** The connection takes no further part; its socket may still be closing. */
  onLeft(connection: Connection, code: number): void;
  /** The socket is gone. Called once, for a connection that was never opened too. */
  onGone(connection: Connection): void;
  onReceived(connection: Connection): void;
  /** A frame of a publication waits for the end of the turn. */
  onQueued(publication: Publication, isFirst: boolean): void;
  onDropped(publication: Publication): void;
}

/**
 * One client. It exists before its socket does: it is attached to delivery while the handshake waits, and holds what
 * arrives meanwhile, so that a client whose socket is open has missed nothing. A protocol is a subclass, which says
 * how a publication looks and what a message means.
 */
export abstract class Connection implements Subscriber, Pinged, SocketListener {
  readonly id: string;
  /** For the limit by address. */
  readonly address: string;
  readonly #host: ConnectionHost;
  readonly #outbox: Outbox;
  #socket: ClientSocket | undefined;
  #heartbeat: Heartbeat | undefined;
  #inboundState = 0;
  #hasLeft = false;

  constructor({ id, address }: Handshake, host: ConnectionHost) {
    this.id = id;
    this.address = address;
    this.#host = host;
    this.#outbox = new Outbox(host.flushQueue);
  }

  /** As the metrics name it. */
  abstract readonly protocol: string;
  /** Attaches it to delivery. The handshake is answered when this resolves, and refused when it rejects or takes too long. */
  abstract join(): Promise<void>;
  abstract receive(publication: Publication): void;
  /** Ends every attachment, also those that {@link join} still waits for. Called once. */
  protected abstract leave(): void;
  /** A message within the client's rate. */
  protected abstract onInbound(data: Buffer, isBinary: boolean): void;

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Bytes that wait for the client. */
  get outboxBytes(): number {
    return this.#outbox.bytes;
  }

  /** The handshake is done: what arrived meanwhile and what is to come goes to this socket. */
  open(socket: ClientSocket, stream: Socket): void {
    socket.attach(stream, this);
    this.#socket = socket;
    this.#heartbeat = new Heartbeat(this, this.#host.pulse);
    this.#heartbeat.start();
    this.#outbox.open(socket);
    this.#host.onOpened(this);
  }

  /** The handshake came to nothing. Does nothing when the connection is open. */
  abandon(): void {
    if (this.#socket !== undefined) return;
    this.#depart();
    this.#host.onGone(this);
  }

  /** Sends what waits (except to a slow client) and the reason, and cuts the socket if the client does not answer in time. */
  close({ code, reason }: CloseCode): void {
    if (!this.#leaveWith(code)) return;
    if (code === closeCodes.slow.code) this.#outbox.discard();
    else this.#outbox.end();
    this.#socket?.close(code, reason);
  }

  /** Cuts the socket without another word. */
  terminate(): void {
    this.#socket?.terminate();
  }

  ping(): void {
    this.#outbox.push(pingFrame);
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    if (!this.#admitInbound()) return;
    this.#host.onReceived(this);
    this.onInbound(data, isBinary);
  }

  onPing(data: Buffer): void {
    if (this.#admitInbound()) this.#send(encodeFrame(Opcode.pong, data));
  }

  onPong(): void {
    if (this.#admitInbound()) this.#heartbeat?.pong();
  }

  onFault(fault: Error): void {
    this.#leaveWith(codeOfProtocolFault(fault));
  }

  onClose(code: number): void {
    this.#leaveWith(code);
    this.#host.onGone(this);
  }

  /** The hot path: at most one encoding per publication and format, one reference per subscriber. */
  protected deliver(publication: Publication, format: FrameFormat): void {
    if (this.#hasLeft) return;
    const isFirst = publication.frames.length === 0;
    if (this.#send(format.of(publication))) this.#host.onQueued(publication, isFirst);
    else this.#host.onDropped(publication);
  }

  #send(frame: Buffer): boolean {
    if (this.#outbox.push(frame)) return true;
    this.close(closeCodes.slow);
    return false;
  }

  #admitInbound(): boolean {
    if (this.#hasLeft) return false;
    const state = this.#host.inboundRate.next(this.#inboundState, performance.now());
    if (state === undefined) this.close(closeCodes.tooManyRequests);
    else this.#inboundState = state;
    return state !== undefined;
  }

  #leaveWith(code: number): boolean {
    if (!this.#depart()) return false;
    this.#host.onLeft(this, code);
    return true;
  }

  #depart(): boolean {
    if (this.#hasLeft) return false;
    this.#hasLeft = true;
    this.#heartbeat?.stop();
    this.leave();
    return true;
  }
}
