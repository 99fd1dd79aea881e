import type { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Transport } from './transport.js';

/** The part of a transport that carries an outbox's frames. */
export type FrameCarrier = Pick<Transport, 'stream' | 'isOpen' | 'isMidFrame'>;

/** An outbox that holds this much is written without waiting for the end of the turn, so that a burst is not taken for a slow client. */
const EAGER_BYTES = 64 * 1024;

/**
 * Flushes every outbox that has something to send, once at the end of the event-loop turn: many frames to one client
 * become one system call.
 */
export class FlushQueue {
  /** Largest number of bytes that may wait for one client. */
  readonly maxBytes: number;
  readonly #onFlushed: () => void;
  #dirty: Outbox[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #lastFrames: readonly Buffer[] = [];
  #lastJoined: Buffer | undefined;

  constructor(maxBytes: number, onFlushed: () => void = () => {}) {
    this.maxBytes = maxBytes;
    this.#onFlushed = onFlushed;
  }

  add(outbox: Outbox): void {
    this.#dirty.push(outbox);
    this.#immediate ??= setImmediate(this.#flush);
  }

  /** Flushes what is queued now. May be called twice; an outbox that is added later is still flushed. */
  close(): void {
    clearImmediate(this.#immediate);
    this.#flush();
  }

  /**
   * The frames as one buffer. Subscribers of one channel mostly wait for the very same frames, so the last result is
   * kept until the end of the flush, and comparing pointers replaces copying bytes.
   */
  join(frames: readonly Buffer[], bytes: number): Buffer {
    if (this.#lastJoined === undefined || !areSame(frames, this.#lastFrames)) {
      this.#lastFrames = frames.slice();
      this.#lastJoined = Buffer.concat(frames, bytes);
    }
    return this.#lastJoined;
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    this.#immediate = undefined;
    for (const outbox of dirty) outbox.flush();
    this.#lastFrames = [];
    this.#lastJoined = undefined;
    this.#onFlushed();
  };
}

function areSame(frames: readonly Buffer[], others: readonly Buffer[]): boolean {
  if (frames.length !== others.length) return false;
  // From the end: lists that differ mostly differ in what came last.
  for (let i = frames.length - 1; i >= 0; i--) if (frames[i] !== others[i]) return false;
  return true;
}

/**
 * What waits to be sent to one client: whole frames, bounded in bytes together with what the stream has not
 * yet handed to the system. While the stream is backed up, frames wait here, where all clients share their bytes.
 */
export class Outbox {
  readonly #queue: FlushQueue;
  readonly #frames: Buffer[] = [];
  #carrier: FrameCarrier | undefined;
  #frameBytes = 0;
  /** Length of a frame beyond the bound that is on its way: what follows it has the whole bound to itself. */
  #oversize = 0;
  /** A flush is certain to come: by the queue, or by the stream's `drain`. */
  #awaited = false;
  #backedUp = false;
  #isOver = false;

  constructor(queue: FlushQueue) {
    this.#queue = queue;
  }

  /** Bytes that wait here and in the stream. */
  get bytes(): number {
    return this.#frameBytes + (this.#carrier?.stream.writableLength ?? 0);
  }

  /** Frames may be pushed before; they are sent from here on. */
  open(carrier: FrameCarrier): void {
    this.#carrier = carrier;
    this.#await();
  }

  /**
   * Takes one whole frame. Answers false, and takes nothing, when the client is so far behind that the frame does not
   * fit. A frame that is larger than the bound by itself is taken while there is no other such frame: a client that comes
   * back would else be closed for what it missed, again and again. After its end an outbox swallows what it is given.
   */
  push(frame: Buffer): boolean {
    if (this.#isOver) return true;
    if (!this.#hasRoomFor(frame.length)) return false;
    this.#frames.push(frame);
    this.#frameBytes += frame.length;
    this.#await();
    if (this.#frameBytes >= EAGER_BYTES) this.#send();
    return true;
  }

  /** Resolves when a frame beyond the bound has left, and at the end; undefined where there is none on its way. */
  caughtUp(): Promise<void> | undefined {
    return this.#oversize > 0 && this.bytes > 0 ? this.#catchUp() : undefined;
  }

  /** Called by the queue at the end of the turn. */
  flush(): void {
    this.#awaited = this.#backedUp;
    this.#send();
  }

  /** Writes the rest without regard to how far the stream is behind, and ends. */
  end(): void {
    const carrier = this.#carrier;
    if (carrier?.isOpen && !carrier.isMidFrame && this.#frames.length > 0) this.#write(carrier.stream);
    this.discard();
  }

  /** Forgets what waits, and ends. */
  discard(): void {
    this.#isOver = true;
    this.#frames.length = 0;
    this.#frameBytes = 0;
    this.#carrier = undefined;
  }

  #hasRoomFor(length: number): boolean {
    const { maxBytes } = this.#queue;
    const waiting = this.bytes;
    if (waiting === 0) this.#oversize = 0;
    if (waiting + length <= maxBytes + this.#oversize) return true;
    if (length <= maxBytes || this.#oversize > 0) return false;
    this.#oversize = length;
    return true;
  }

  async #catchUp(): Promise<void> {
    while (this.#carrier !== undefined) {
      const { stream } = this.#carrier;
      if (stream.writableNeedDrain) await drained(stream);
      else if (this.#frameBytes > this.#queue.maxBytes) await turn();
      else return;
    }
  }

  /** Writes what is here as one piece, unless the stream is backed up: then it follows on `drain`. */
  #send(): void {
    const carrier = this.#carrier;
    if (this.#backedUp || carrier === undefined || this.#frames.length === 0) return;
    const { stream } = carrier;
    if (!carrier.isOpen) this.discard();
    else if (carrier.isMidFrame) this.#await();
    else if (stream.writableNeedDrain && stream.writableLength > 0) this.#awaitDrain(stream);
    else this.#write(stream);
  }

  #write(stream: Writable): void {
    const frames = this.#frames;
    stream.write(frames.length === 1 ? frames[0]! : this.#queue.join(frames, this.#frameBytes));
    frames.length = 0;
    this.#frameBytes = 0;
  }

  #await(): void {
    if (this.#awaited) return;
    this.#awaited = true;
    this.#queue.add(this);
  }

  #awaitDrain(stream: Writable): void {
    this.#awaited = true;
    this.#backedUp = true;
    stream.once('drain', () => {
      this.#backedUp = false;
      this.flush();
    });
  }
}

function drained(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    stream.off('drain', done).off('close', done);
    resolve();
  };
  stream.on('drain', done).on('close', done);
  return promise;
}
