import { gzipSync } from 'node:zlib';
import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes } = kafkajs;

/**
 * Makes kafkajs send the header `name`, if it is empty, without a value: it cannot do so itself. The records have to be compressed
 * with gzip. An empty value has the length 0, and an absent one -1, in zigzag form 1.
 */
export function sendWithoutValue(name: string): void {
  const { decompress } = CompressionCodecs[CompressionTypes.GZIP]() as { readonly decompress: unknown };
  const codec = {
    decompress,
    async compress({ buffer }: { readonly buffer: Buffer }): Promise<Buffer> {
      const records = Buffer.from(buffer);
      const at = records.indexOf(`${name}\0`);
      if (at < 0) throw new Error(`there is no empty header ${name}`);
      records[at + name.length] = 1;
      return gzipSync(records);
    },
  };
  CompressionCodecs[CompressionTypes.GZIP] = () => codec;
}
