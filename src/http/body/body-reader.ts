import type { IncomingMessage } from 'node:http';
import { errorCodes, type FastifyRequest } from 'fastify';

type Done = (error: Error | null, body?: Buffer) => void;

const SMALLEST_BUFFER = 1_024;

/**
 * Reads the body of a request, up to the limit of its route. Chunks are joined as they arrive: a caller that sends a body in chunks
 * of one byte would otherwise cost some 200 bytes of memory for each.
 */
export function readBody(request: FastifyRequest, stream: IncomingMessage, done: Done): void {
  const limit = request.routeOptions.bodyLimit;
  const declared = Number(stream.headers['content-length'] ?? Number.NaN);
  if (declared > limit) {
    done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    return;
  }
  const joined = new JoinedChunks(Number.isNaN(declared) ? limit : declared);
  const onData = (chunk: Buffer): void => {
    if (joined.length + chunk.length > limit) finish(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    else joined.add(chunk);
  };
  const onEnd = (): void => {
    const isComplete = Number.isNaN(declared) || joined.length === declared;
    if (isComplete) finish(null, joined.toBuffer());
    else finish(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH());
  };
  const onError = (error: Error): void => finish(Object.assign(error, { statusCode: 400 }));
  const finish: Done = (error, body) => {
    stream.off('data', onData).off('end', onEnd).off('error', onError);
    done(error, body);
  };
  stream.on('data', onData).on('end', onEnd).on('error', onError);
}

/** Bytes in one buffer that doubles when it is full. */
class JoinedChunks {
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
