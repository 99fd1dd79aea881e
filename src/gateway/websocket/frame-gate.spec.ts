import { describe, expect, it } from '@jest/globals';
import { joinPieces } from './frame-gate.js';

/** Adds the bytes one by one, as a receiver does. Returns the pieces, and how many bytes were copied. */
function pieced(bytes: Buffer): {
  readonly pieces: Buffer[];
  readonly copied: number;
  readonly most: number;
} {
  const pieces: Buffer[] = [];
  let copied = 0;
  let most = 0;
  for (const byte of bytes) {
    pieces.push(Buffer.of(byte));
    most = Math.max(most, pieces.length);
    const before = new Set(pieces);
    joinPieces(pieces);
    for (const piece of pieces) if (!before.has(piece)) copied += piece.length;
  }
  return { pieces, copied, most };
}

describe('joinPieces', () => {
  it('keeps few pieces of a message that comes byte by byte, and copies each byte a few times only', () => {
    const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, i) => i % 251));
    const { pieces, copied, most } = pieced(bytes);
    expect(Buffer.concat(pieces)).toEqual(bytes);
    expect(most).toBeLessThanOrEqual(33);
    expect(copied / bytes.length).toBeLessThan(20);
  });

  it('leaves a few pieces as they are', () => {
    const pieces = Array.from({ length: 32 }, () => Buffer.of(1));
    joinPieces(pieces);
    expect(pieces).toHaveLength(32);
  });
});
