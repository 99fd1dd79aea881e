import { Writable } from 'node:stream';
import { Framing } from '../../../src/gateway/connection/framing.js';
import type { Transport, TransportListener } from '../../../src/gateway/connection/transport.js';

/** Kinds of frames, as the first byte of each. The length of the rest follows in four bytes. */
export const Kind = { text: 0x74, bytes: 0x62, ping: 0x70, close: 0x63 } as const;

const HEADER_BYTES = 5;

function frameOf(kind: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame[0] = kind;
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

class MemoryFraming extends Framing {
  override readonly transport = 'memory';
  override readonly ping = frameOf(Kind.ping, Buffer.alloc(0));

  override frame(message: Uint8Array, isText: boolean): Buffer {
    return frameOf(isText ? Kind.text : Kind.bytes, message);
  }
}

export const memoryFraming = new MemoryFraming();

/** What the other end of a transport in memory does with frames. */
export interface MemoryReceiver {
  onFrame(kind: number, payload: Buffer): void;
  onEnd(): void;
}

/** Bytes on their way to a client, which takes them only while it reads. */
class MemoryStream extends Writable {
  isReading = true;
  #taken: (() => void) | undefined;
  #pending = Buffer.alloc(0);

  constructor(private readonly receiver: MemoryReceiver) {
    super({ highWaterMark: 16 * 1024 });
    this.on('error', () => {});
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    this.#taken = () => setImmediate(done);
    if (this.isReading) this.read();
  }

  read(): void {
    this.isReading = true;
    while (this.#pending.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#pending.readUInt32BE(1);
      if (this.#pending.length < end) break;
      const frame = this.#pending.subarray(0, end);
      this.#pending = this.#pending.subarray(end);
      this.receiver.onFrame(frame[0] ?? 0, frame.subarray(HEADER_BYTES));
    }
    this.#taken?.();
    this.#taken = undefined;
  }
}

/** A transport without a network: shows that a connection needs no WebSocket. */
export class MemoryTransport implements Transport {
  readonly isMidFrame = false;
  readonly stream: MemoryStream;
  #listener!: TransportListener;
  #state: 'open' | 'closing' | 'gone' = 'open';
  #isPaused = false;
  #inbound: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly receiver: MemoryReceiver,
    private readonly closeTimeoutMs: number,
  ) {
    this.stream = new MemoryStream(receiver);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  attach(listener: TransportListener): void {
    this.#listener = listener;
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#listener.onClosing();
    this.#state = 'closing';
    this.stream.write(frameOf(Kind.close, Buffer.from(JSON.stringify({ code, reason }))));
    this.#timer = setTimeout(() => this.terminate(), this.closeTimeoutMs).unref();
  }

  terminate(): void {
    this.#end(1006);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const waiting = this.#inbound;
    this.#inbound = [];
    for (const message of waiting) this.fromClient(message);
  }

  /** The client sends a message. */
  fromClient(message: string): void {
    if (this.#isPaused) this.#inbound.push(message);
    else if (this.#state === 'open') this.#listener.onMessage(Buffer.from(message), true);
  }

  pongFromClient(): void {
    if (this.#state === 'open') this.#listener.onPong();
  }

  /** The client closes, or answers a close. */
  closeFromClient(code: number): void {
    if (this.#state === 'open') this.#listener.onClosing();
    this.#end(code);
  }

  #end(code: number): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    clearTimeout(this.#timer);
    this.stream.destroy();
    setImmediate(() => {
      this.receiver.onEnd();
      this.#listener.onClose(code);
    });
  }
}
