const SMALLEST_BUFFER = 1_024;

/**
 * Chunks that are joined as they arrive, in one buffer that doubles when it is full. A list of chunks of one byte would cost some 200
 * bytes of memory for each.
 */
export class JoinedChunks {
  length = 0;
  #bytes: Buffer = Buffer.alloc(0);

  /** @param expected the buffer grows no further than this many bytes as long as they suffice */
  constructor(private readonly expected: number) {}

  add(chunk: Buffer): void {
    const length = this.length + chunk.length;
    // Most bodies are one chunk, which is not copied.
    if (this.length === 0) this.#bytes = chunk;
    else {
      if (length > this.#bytes.length) this.#grow(length);
      this.#bytes.set(chunk, this.length);
    }
    this.length = length;
  }

  /** Returns exactly the bytes that were added. A message may be kept for long, so it must not hold more memory than it needs. */
  toBuffer(): Buffer {
    return this.length === this.#bytes.length
      ? this.#bytes
      : Buffer.from(this.#bytes.subarray(0, this.length));
  }

  #grow(length: number): void {
    const size = Math.max(SMALLEST_BUFFER, 2 * this.#bytes.length);
    const larger = Buffer.allocUnsafeSlow(Math.max(length, Math.min(size, this.expected)));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}
