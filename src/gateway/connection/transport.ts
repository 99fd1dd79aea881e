import type { Writable } from 'node:stream';

/** Receives the events of a {@link Transport}. A transport without frames from the client reports the last two only. */
export interface TransportListener {
  /** The client sent a message. */
  onMessage(message: Buffer, isText: boolean): void;
  /** The client sent a ping of the transport. @param pong the frame that answers it */
  onPing(pong: Buffer): void;
  /** The client sent a pong of the transport. */
  onPong(): void;
  /** The client broke the transport's rules. The transport is closing with the code. */
  onFault(code: number): void;
  /** The transport is about to send its close, after which no frame may follow. Called also if the client closes first. */
  onClosing(): void;
  /** The transport is gone. Called once, as the last event. @param code what the client closed with; 1006 if it did not close */
  onClose(code: number): void;
}

/**
 * Carries the frames of one connection to its client, and the client's messages to the connection. WebSocket is one;
 * an event stream or a stream of gRPC is another. A transport promises:
 *
 * - `stream` takes whole frames of the transport's framing, several of them joined in one write, and reports with
 *   `writableLength`, `writableNeedDrain` and `drain` how far the client is behind.
 * - After `close` or `terminate`, and after the client has closed or is gone, `onClose` follows in bounded time.
 */
export interface Transport {
  readonly stream: Writable;
  /** Whether frames may still be written: neither side has closed. */
  readonly isOpen: boolean;
  /** Whether a frame that did not come through the outbox is partly written. Nothing may be written until it is whole. */
  readonly isMidFrame: boolean;
  /** Called once, before anything else. Events go to the listener from here on. */
  attach(listener: TransportListener): void;
  /**
   * Tells the client the code and the reason (in a close frame, or in a last event) after what has been written, and
   * ends. Cuts a client that does not take it within the gateway's `closeTimeoutMs`.
   */
  close(code: number, reason: string): void;
  /** Cuts the client off without a word. */
  terminate(): void;
  /** Reads nothing more from the client, and passes on nothing of what has arrived, not even the next message of one read. */
  pause(): void;
  /** Reads from the client again. Does nothing if the transport is not paused. */
  resume(): void;
}
