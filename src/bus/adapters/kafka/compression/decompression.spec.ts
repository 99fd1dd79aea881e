import { describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, oneof, property, record, uint8Array, integer } from 'fast-check';
import { decompressLz4 } from './lz4.js';
import { DecompressionError } from './output.js';
import { decompressSnappy } from './snappy.js';

const LIMIT = 10_000;

const lz4Header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const snappyMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];

function lz4Frame(...blocks: readonly (readonly number[])[]): Buffer {
  const framed = blocks.flatMap((block) => [block.length & 255, block.length >> 8, 0, 0, ...block]);
  return Buffer.from([...lz4Header, ...framed, 0, 0, 0, 0]);
}

describe('decompressLz4', () => {
  it('copies literals and repetitions, also overlapping ones and across blocks', () => {
    // 3 literals, then 4 + 5 bytes from 3 bytes before; then one literal, and 4 bytes from 10 bytes before.
    const first = [0x35, 97, 98, 99, 3, 0];
    const frame = lz4Frame(first, [0x10, 33, 10, 0, 0x10, 46]);
    expect(decompressLz4(frame, LIMIT).toString()).toBe('abcabcabcabc!abca.');
  });

  it('copies blocks that are not compressed', () => {
    const frame = Buffer.from([...lz4Header, 3, 0, 0, 0x80, 97, 98, 99, 0, 0, 0, 0]);
    expect(decompressLz4(frame, LIMIT).toString()).toBe('abc');
  });

  it('refuses a small frame with a huge content', () => {
    const bomb = lz4Frame([0x1f, 0, 1, 0, ...Array.from({ length: 100 }, () => 255), 0]);
    expect(() => decompressLz4(bomb, LIMIT)).toThrow(/larger than maxDecompressedBytes \(10000\)/);
  });
});

describe('decompressSnappy', () => {
  it('copies literals and repetitions, also overlapping ones', () => {
    // Length 12; 3 literals; 9 bytes from 3 bytes before.
    const block = Buffer.from([12, 0x08, 97, 98, 99, ((9 - 4) << 2) | 1, 3]);
    expect(decompressSnappy(block, LIMIT).toString()).toBe('abcabcabcabc');
    const stream = Buffer.from([...snappyMagic, 0, 0, 0, 7, ...block, 0, 0, 0, 7, ...block]);
    expect(decompressSnappy(stream, LIMIT).toString()).toBe('abcabcabcabc'.repeat(2));
  });

  it('refuses a literal whose length is negative as a signed number', () => {
    expect(() => decompressSnappy(Buffer.from([5, 63 << 2, 255, 255, 255, 255, 0, 0]), LIMIT)).toThrow(
      DecompressionError,
    );
  });

  it('refuses a block that does not have the length that it names', () => {
    expect(() => decompressSnappy(Buffer.from([4, 0x08, 97, 98, 99]), LIMIT)).toThrow(DecompressionError);
  });
});

describe('malformed compressed bytes', () => {
  const bytes = uint8Array({ maxLength: 300 });
  const framed = record({ block: bytes, flags: integer({ min: 0, max: 255 }) }).map(({ block, flags }) => {
    const frame = lz4Frame([...block]);
    frame[4] = 0x40 | (flags & 0x3f);
    return new Uint8Array(frame);
  });
  const streamed = array(bytes).map(
    (blocks) =>
      new Uint8Array([
        ...snappyMagic,
        ...blocks.flatMap((block) => [0, 0, block.length >> 8, block.length & 255, ...block]),
      ]),
  );

  it.each([
    ['LZ4', decompressLz4],
    ['Snappy', decompressSnappy],
  ])('are refused or yield no more than the limit: %s', (_name, decompress) => {
    assert(
      property(oneof(bytes, framed, streamed), constantFrom(0, 10, LIMIT), (input, limit) => {
        let length = 0;
        try {
          length = decompress(Buffer.from(input), limit).length;
        } catch (error) {
          if (!(error instanceof DecompressionError)) throw error;
        }
        expect(length).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 2_000 },
    );
  });
});
