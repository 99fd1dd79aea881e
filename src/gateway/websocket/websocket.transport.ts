/* oxlint-disable no-underscore-dangle -- private names of `ws` */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Transport, TransportListener } from '../connection/transport.js';
import { encodeFrame, Opcode } from './frame.js';
import { guardReceiver, limitFrames, open, shut, type FrameGate, type FrameReceiver } from './frame-gate.js';
import { codeOfProtocolFault } from './protocol-fault.js';

/**
 * A WebSocket as `ws` makes it, which is the transport itself: no further object per client. Its event listeners are
 * the same functions for all sockets, and frames that are ready go straight to the TCP socket under it.
 */
export class WebSocketTransport extends WebSocket implements Transport, FrameGate {
  /** The TCP socket of the upgrade request. */
  stream!: Socket;
  isShut = false;
  stoppedLoop = false;
  held: (() => void) | undefined;
  /** Private to `ws`, which creates it when the handshake is done. */
  declare readonly _receiver: FrameReceiver;
  #listener!: TransportListener;

  attach(listener: TransportListener): void {
    this.#listener = listener;
    guardReceiver(this._receiver, this);
    this.on('message', onMessage);
    this.on('ping', onPing);
    this.on('pong', onPong);
    this.on('error', onError);
    this.on('close', onClose);
  }

  limitFrames(maxBytes: number): void {
    limitFrames(this._receiver, maxBytes);
  }

  /** `ws` calls it as well, when the client closes or breaks the protocol. */
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.#listener.onClosing();
    super.close(code, reason);
  }

  override pause(): void {
    if (this.isShut) return;
    shut(this._receiver, this);
    super.pause();
  }

  override resume(): void {
    if (!this.isShut) return;
    super.resume();
    open(this._receiver, this);
  }

  get listener(): TransportListener {
    return this.#listener;
  }

  get isOpen(): boolean {
    return this.readyState === WebSocket.OPEN && this.stream.writable;
  }

  /** `ws` counts the bytes that its sender holds back, and the stream does not. */
  get isMidFrame(): boolean {
    return this.bufferedAmount !== this.stream.writableLength;
  }
}

// `ws` calls its listeners with the socket as `this`; its type names the class that was extended.
function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  (this as WebSocketTransport).listener.onMessage(data as Buffer, !isBinary);
}

function onPing(this: WebSocket, data: Buffer): void {
  (this as WebSocketTransport).listener.onPing(encodeFrame(Opcode.pong, data));
}

function onPong(this: WebSocket): void {
  (this as WebSocketTransport).listener.onPong();
}

function onError(this: WebSocket, fault: Error): void {
  (this as WebSocketTransport).listener.onFault(codeOfProtocolFault(fault));
}

function onClose(this: WebSocket, code: number): void {
  (this as WebSocketTransport).listener.onClose(code);
}
