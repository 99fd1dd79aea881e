/** The compressed bytes are malformed, or their content is larger than allowed. */
export class DecompressionError extends Error {}

const INITIAL_RATIO = 4;

/** The content of compressed bytes while it is being decompressed. It grows up to a limit. */
export class Output {
  #bytes: Buffer;
  #length = 0;

  constructor(
    compressedLength: number,
    private readonly maxLength: number,
  ) {
    this.#bytes = Buffer.allocUnsafe(Math.min(maxLength, compressedLength * INITIAL_RATIO));
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @throws {DecompressionError} the source ends before, or the output is too large */
  append(source: Buffer, start: number, length: number): void {
    if (start + length > source.length) throw new DecompressionError('the compressed bytes end too early');
    this.#reserve(length);
    source.copy(this.#bytes, this.#length, start, start + length);
    this.#length += length;
  }

  /**
   * Appends `length` bytes of the output again that begin `distance` bytes before its end. They may overlap with those appended.
   *
   * @throws {DecompressionError} the output has no such bytes, or is too large
   */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.#length)
      throw new DecompressionError('a reference points before the first byte');
    this.#reserve(length);
    const from = this.#length - distance;
    for (let left = length; left > 0;) {
      const count = Math.min(left, this.#length - from);
      this.#bytes.copyWithin(this.#length, from, from + count);
      this.#length += count;
      left -= count;
    }
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed > this.maxLength)
      throw new DecompressionError(`the content is larger than maxDecompressedBytes (${this.maxLength})`);
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.maxLength, Math.max(needed, 2 * this.#bytes.length)));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
