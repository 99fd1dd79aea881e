import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Carrier } from '../connection/outbox.js';

/** What becomes of a socket's events. */
export interface SocketListener {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPing(data: Buffer): void;
  onPong(): void;
  /** A close frame is about to go out: the last moment for other frames. */
  onClosing(): void;
  /** The client broke the protocol, and the socket is already closing. */
  onFault(fault: Error): void;
  onClose(code: number): void;
}

/**
 * A `ws` socket that knows its connection and the TCP socket under it, so that the event listeners are the same functions
 * for all sockets and frames that are ready can go straight to the stream.
 */
export class ClientSocket extends WebSocket implements Carrier {
  #stream!: Socket;
  #listener!: SocketListener;

  /** @param stream the TCP socket of the upgrade request */
  attach(stream: Socket, listener: SocketListener): void {
    this.#stream = stream;
    this.#listener = listener;
    this.on('message', onMessage);
    this.on('ping', onPing);
    this.on('pong', onPong);
    this.on('error', onError);
    this.on('close', onClose);
  }

  /** Also called by `ws`, in answer to the client's close and to a breach of the protocol. */
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.#listener.onClosing();
    super.close(code, reason);
  }

  get listener(): SocketListener {
    return this.#listener;
  }

  get stream(): Socket {
    return this.#stream;
  }

  get isOpen(): boolean {
    return this.readyState === WebSocket.OPEN && this.#stream.writable;
  }

  /** `ws` counts what its sender still holds back, and the stream does not. */
  get isMidFrame(): boolean {
    return this.bufferedAmount !== this.#stream.writableLength;
  }
}

// `ws` calls its listeners with the socket as `this`; its type names the class that was extended.
function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  (this as ClientSocket).listener.onMessage(data as Buffer, isBinary);
}

function onPing(this: WebSocket, data: Buffer): void {
  (this as ClientSocket).listener.onPing(data);
}

function onPong(this: WebSocket): void {
  (this as ClientSocket).listener.onPong();
}

function onError(this: WebSocket, fault: Error): void {
  (this as ClientSocket).listener.onFault(fault);
}

function onClose(this: WebSocket, code: number): void {
  (this as ClientSocket).listener.onClose(code);
}
