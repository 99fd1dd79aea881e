import type { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { FlushQueue } from './flush-queue.js';
import type { Transport } from './transport.js';

/** The part of a transport that carries an outbox's frames. */
export type FrameCarrier = Pick<Transport, 'stream' | 'isOpen' | 'isMidFrame'>;

/** An outbox with this many bytes is written before the end of the turn, so that a client that gets a burst does not count as slow. */
const EAGER_BYTES = 64 * 1024;

/**
 * The frames that wait to be sent to one client. Their bytes are bounded, together with those that the stream has not yet
 * passed to the operating system. While the stream is backed up, frames wait here, where clients share their bytes.
 */
export class Outbox {
  readonly #queue: FlushQueue;
  readonly #frames: Buffer[] = [];
  #carrier: FrameCarrier | undefined;
  #frameBytes = 0;
  /** The part of this client in the budget of all clients. */
  #counted = 0;
  /** The length of a frame beyond the bound that is on its way. It does not count, so that the whole bound is left for what follows. */
  #oversize = 0;
  /** Whether a flush is already scheduled: by the queue, or by the stream's `drain`. */
  #isScheduled = false;
  #backedUp = false;
  #isOver = false;

  constructor(queue: FlushQueue) {
    this.#queue = queue;
  }

  /** The bytes that wait here and in the stream. */
  get bytes(): number {
    return this.#frameBytes + (this.#carrier?.stream.writableLength ?? 0);
  }

  /**
   * Corrects the part of this client in the budget, and returns it. The part is exact while the client is behind. What a
   * stream has passed on since the last write is noticed here.
   */
  count(): number {
    const { bytes } = this;
    this.#queue.budget.add(bytes - this.#counted);
    this.#counted = bytes;
    return bytes;
  }

  /** The transport is gone. */
  release(): void {
    this.discard();
    this.#carrier = undefined;
    if (this.#counted > 0) this.count();
  }

  /** Starts sending. Frames that were pushed before are sent first. */
  open(carrier: FrameCarrier): void {
    this.#carrier = carrier;
    this.#schedule();
  }

  /**
   * Queues one whole frame. Returns false, and queues nothing, if the client is so far behind that the frame does not fit.
   * One frame at a time may be larger than the bound by itself: otherwise a client that recovers a large history would be
   * closed for it each time it connects again. After its end an outbox drops what is pushed.
   */
  push(frame: Buffer): boolean {
    if (this.#isOver) return true;
    if (!this.#hasRoomFor(frame.length)) return false;
    this.#frames.push(frame);
    this.#frameBytes += frame.length;
    if (this.#backedUp || this.#carrier === undefined) this.count();
    this.#schedule();
    if (this.#frameBytes >= EAGER_BYTES) this.#send();
    return true;
  }

  /** Resolves when a frame beyond the bound has been sent, or at the end; undefined if no such frame is on its way. */
  caughtUp(): Promise<void> | undefined {
    return this.#oversize > 0 && this.bytes > 0 ? this.#catchUp() : undefined;
  }

  /** Called by the queue at the end of the turn. */
  flush(): void {
    this.#isScheduled = this.#backedUp;
    this.#send();
  }

  /** Writes what is left, even if the stream is backed up, and ends. */
  end(): void {
    const carrier = this.#carrier;
    if (carrier?.isOpen && !carrier.isMidFrame && this.#frames.length > 0) this.#write(carrier.stream);
    this.discard();
  }

  /** Drops what is left, and ends. */
  discard(): void {
    this.#isOver = true;
    this.#frames.length = 0;
    this.#frameBytes = 0;
    if (this.#counted > 0) this.count();
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
    while (this.#carrier !== undefined && !this.#isOver) {
      const { stream } = this.#carrier;
      if (stream.writableNeedDrain) await drained(stream);
      else if (this.#frameBytes > this.#queue.maxBytes) await turn();
      else return;
    }
  }

  /** Writes all frames at once, or on `drain` if the stream is backed up. */
  #send(): void {
    const carrier = this.#carrier;
    if (this.#backedUp || carrier === undefined || this.#frames.length === 0) return;
    const { stream } = carrier;
    if (!carrier.isOpen) this.discard();
    else if (carrier.isMidFrame) this.#schedule();
    else if (stream.writableNeedDrain && stream.writableLength > 0) this.#flushOnDrain(stream);
    else this.#write(stream);
  }

  #write(stream: Writable): void {
    const frames = this.#frames;
    stream.write(frames.length === 1 ? frames[0]! : this.#queue.join(frames, this.#frameBytes));
    frames.length = 0;
    this.#frameBytes = 0;
    if (this.#counted > 0 || stream.writableLength > 0) this.count();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#queue.add(this);
  }

  #flushOnDrain(stream: Writable): void {
    this.#isScheduled = true;
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
