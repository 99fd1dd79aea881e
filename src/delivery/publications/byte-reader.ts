export const TIME_BYTES = 6;
export const LENGTH_BYTES = 2;
export const BLOB_LENGTH_BYTES = 4;

/**
 * Reads forward up to `end`. Beyond it, everything reads as empty and `overrun` is set. Numbers are unsigned and
 * big-endian.
 */
export class ByteReader {
  overrun = false;

  constructor(
    private readonly bytes: Buffer,
    private offset: number,
    private readonly end: number,
  ) {}

  /** Whether there is more to read. */
  get hasMore(): boolean {
    return !this.overrun && this.offset < this.end;
  }

  byte(): number {
    const start = this.#take(1);
    return this.overrun ? 0 : this.bytes[start]!;
  }

  time(): number {
    const start = this.#take(TIME_BYTES);
    return this.overrun ? 0 : this.bytes.readUIntBE(start, TIME_BYTES);
  }

  /** Reads a length of two bytes, then UTF-8. */
  text(): string {
    const start = this.#take(LENGTH_BYTES);
    if (this.overrun) return '';
    const textStart = this.#take(this.bytes.readUInt16BE(start));
    return this.overrun ? '' : this.bytes.toString('utf8', textStart, this.offset);
  }

  /** Reads a length of four bytes, then as many bytes. Returns a view of them. */
  blob(): Buffer {
    const start = this.#take(BLOB_LENGTH_BYTES);
    const blobStart = this.overrun ? start : this.#take(this.bytes.readUInt32BE(start));
    return this.overrun ? this.bytes.subarray(0, 0) : this.bytes.subarray(blobStart, this.offset);
  }

  #take(count: number): number {
    const start = this.offset;
    if (start + count > this.end) this.overrun = true;
    else this.offset += count;
    return start;
  }
}

/** Writes a length of two bytes, then UTF-8. @throws RangeError above 65535 bytes */
export function writeText(target: Buffer, text: string, offset: number): number {
  const written = target.write(text, offset + LENGTH_BYTES);
  target.writeUInt16BE(written, offset);
  return offset + LENGTH_BYTES + written;
}

export function textBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + Buffer.byteLength(text));
  writeText(bytes, text, 0);
  return bytes;
}

/** Returns the length of a blob in four bytes. The blob itself follows. */
export function blobLength(blob: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(BLOB_LENGTH_BYTES);
  bytes.writeUInt32BE(blob.length);
  return bytes;
}
