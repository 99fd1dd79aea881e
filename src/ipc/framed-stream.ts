import { endOfTurn, reportFailure } from '../async/index.js';
import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

const LENGTH_BYTES = 4;

/**
 * Sends and receives values over a byte stream. The values that are sent in one turn of the event loop travel in one frame: the
 * length of its body (four bytes, big-endian), then a list of the values in V8's serialization format, which keeps bytes as bytes.
 */
export class FramedStream {
  #outgoing: unknown[] = [];
  #chunks: Buffer[] = [];
  #received = 0;
  /** Bytes that have to be received before the next step: a length, or a length with its body. */
  #expected = LENGTH_BYTES;

  constructor(
    private readonly stream: Duplex,
    private readonly onValue: (value: unknown) => void,
  ) {
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Bytes that the other end has not read yet. */
  get unreadBytes(): number {
    return this.stream.writableLength;
  }

  send(value: unknown): void {
    if (this.#outgoing.push(value) === 1) endOfTurn('values for another process', () => this.flush());
  }

  flush(): void {
    if (this.#outgoing.length === 0 || !this.stream.writable) return;
    const body = serializeAll(this.#outgoing);
    this.#outgoing = [];
    // One write of one buffer is several times faster than a write of two, so the body is copied.
    const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
    frame.writeUInt32BE(body.length);
    frame.set(body, LENGTH_BYTES);
    this.stream.write(frame);
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    while (this.#received >= this.#expected) {
      const [first = chunk] = this.#chunks;
      const bytes = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
      const frameBytes = LENGTH_BYTES + bytes.readUInt32BE();
      this.#expected = frameBytes;
      this.#chunks = [bytes];
      if (this.#received < frameBytes) return;
      const rest = bytes.subarray(frameBytes);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#received = rest.length;
      this.#expected = LENGTH_BYTES;
      for (const value of deserialize(bytes.subarray(LENGTH_BYTES, frameBytes)) as unknown[]) {
        try {
          this.onValue(value);
        } catch (error) {
          // The other values of the frame belong to other calls.
          reportFailure('value of another process', error);
        }
      }
    }
  }
}

/** Leaves out and reports values that cannot be serialized: the others of the same turn belong to other calls. */
function serializeAll(values: readonly unknown[]): Buffer {
  try {
    return serialize(values);
  } catch {
    return serialize(values.filter(isSerializable));
  }
}

function isSerializable(value: unknown): boolean {
  try {
    serialize(value);
    return true;
  } catch (error) {
    reportFailure('value for another process', error);
    return false;
  }
}
