import { promisify } from 'node:util';
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import { Logger } from '@nestjs/common';
// Node.js finds these two only in the default export.
import kafkajs from 'kafkajs';
import { decompressLz4 } from './lz4.js';
import { decompressSnappy } from './snappy.js';
import { undecodableBatch } from './undecodable-batch.js';

const { CompressionCodecs, CompressionTypes } = kafkajs;

type Decompress = (compressed: Buffer, maxLength: number) => Buffer | Promise<Buffer>;
type Compress = (content: Buffer) => Promise<Buffer>;

const gunzipped = promisify<Buffer, object, Buffer>(gunzip);
const unzstd = promisify<Buffer, object, Buffer>(zstdDecompress);
const logger = new Logger('KafkaBus');

/** What producers may use. Consumers decompress Snappy and LZ4 as well. */
export const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
} as const;

/**
 * Makes kafkajs decompress every format of Kafka, and limits the size of the content. kafkajs itself supports gzip only, without
 * a limit, and ends the consumer at a batch that it cannot decompress.
 *
 * @param maxLength for a batch of records, in bytes. It holds for the whole process.
 */
export function registerCodecs(maxLength: number): void {
  const gzipCodec = codec('gzip', maxLength, limited(gunzipped), promisify<Buffer, Buffer>(gzip));
  const zstdCodec = codec('zstd', maxLength, limited(unzstd), promisify<Buffer, Buffer>(zstdCompress));
  const snappyCodec = codec('snappy', maxLength, decompressSnappy);
  const lz4Codec = codec('lz4', maxLength, decompressLz4);
  CompressionCodecs[CompressionTypes.GZIP] = () => gzipCodec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
}

function codec(name: string, maxLength: number, decompress: Decompress, compress?: Compress) {
  return {
    async decompress(compressed: Buffer): Promise<Buffer> {
      try {
        return await decompress(compressed, maxLength);
      } catch (error) {
        const reason = `a batch of ${compressed.length} bytes cannot be decompressed (${name}): ${messageOf(error, maxLength)}`;
        const replacement = undecodableBatch(compressed, reason);
        if (replacement === undefined) throw new Error(reason, { cause: error });
        logger.warn(reason);
        return replacement;
      }
    },
    compress: (encoder: { readonly buffer: Buffer }): Promise<Buffer> =>
      compress?.(encoder.buffer) ?? Promise.reject(new Error(`cannot compress with ${name}`)),
  };
}

function limited(decompress: (bytes: Buffer, options: object) => Promise<Buffer>): Decompress {
  return (bytes, maxOutputLength) => decompress(bytes, { maxOutputLength });
}

function messageOf(error: unknown, maxLength: number): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (code === 'ERR_BUFFER_TOO_LARGE')
    return `the content is larger than maxDecompressedBytes (${maxLength})`;
  return typeof message === 'string' ? message : String(error);
}
