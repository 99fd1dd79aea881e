import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

const LENGTH_BYTES = 4;

/**
 * Values over a stream of bytes. What is sent in one turn of the event loop travels in one frame: its length (four bytes,
 * big-endian) and a list in the form of V8, which keeps bytes as bytes.
 */
export class Frames {
  #outgoing: unknown[] = [];
  #chunks: Buffer[] = [];
  #received = 0;
  /** Bytes that the frame at the front takes, once its length is here. */
  #expected = LENGTH_BYTES;

  constructor(
    private readonly stream: Duplex,
    private readonly onValue: (value: unknown) => void,
  ) {
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Bytes that wait for the other end to read. */
  get waitingBytes(): number {
    return this.stream.writableLength;
  }

  send(value: unknown): void {
    if (this.#outgoing.push(value) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#outgoing.length === 0 || !this.stream.writable) return;
    const body = serialize(this.#outgoing);
    this.#outgoing = [];
    // Copied together, because one write of one buffer is several times as quick as one of two.
    const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
    frame.writeUInt32BE(body.length);
    frame.set(body, LENGTH_BYTES);
    this.stream.write(frame);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    while (this.#received >= this.#expected) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      const frameBytes = LENGTH_BYTES + bytes.readUInt32BE();
      this.#expected = frameBytes;
      this.#chunks = [bytes];
      if (this.#received < frameBytes) return;
      const rest = bytes.subarray(frameBytes);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#received = rest.length;
      this.#expected = LENGTH_BYTES;
      for (const value of deserialize(bytes.subarray(LENGTH_BYTES, frameBytes)) as unknown[])
        this.onValue(value);
    }
  }
}
