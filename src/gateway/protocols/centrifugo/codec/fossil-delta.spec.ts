import { isUtf8 } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { applyDelta, createDelta as referenceDelta } from 'fossil-delta';
import { createDelta } from './fossil-delta.js';

const apply = (base: Buffer, patch: Buffer): Buffer => Buffer.from(applyDelta(base, patch));

/** Texts with common parts, so that patches contain copies and inserts. */
function relatives(word: fc.Arbitrary<string>): fc.Arbitrary<[Buffer, Buffer]> {
  return fc.array(word, { minLength: 1, maxLength: 12 }).chain((words) => {
    const text = fc
      .array(fc.constantFrom(...words), { minLength: 1, maxLength: 40 })
      .map((parts) => Buffer.from(`${parts.join('')}.`));
    return fc.tuple(text, text);
  });
}

describe('createDelta', () => {
  it('creates the patch that was recorded from Centrifugo', () => {
    const list = Array.from({ length: 20 }, (_, i) => `item number ${i}`);
    const base = Buffer.from(JSON.stringify({ list, n: 1 }));
    const target = Buffer.from(JSON.stringify({ list, n: 2 }));

    expect(createDelta(base, target).toString()).toBe('5Q\n5O@0,2:2}3i0ZXK;');
  });

  it('creates the same bytes as the reference implementation for ASCII', () => {
    fc.assert(
      fc.property(relatives(fc.string({ minLength: 1, maxLength: 40 })), ([base, target]) => {
        expect(createDelta(base, target)).toEqual(Buffer.from(referenceDelta(base, target)));
      }),
    );
  });

  it('reproduces the target, and inserts whole characters only', () => {
    const word = fc.string({
      minLength: 1,
      maxLength: 30,
      unit: fc.constantFrom('é', 'è', '中', '丰', '😀', '😁', 'a'),
    });
    fc.assert(
      fc.property(relatives(word), ([base, target]) => {
        const patch = createDelta(base, target);
        expect(apply(base, patch)).toEqual(target);
        expect(isUtf8(patch)).toBe(true);
      }),
    );
  });

  it('reproduces bytes that are not text', () => {
    const bytes = fc.uint8Array({ maxLength: 300, max: 255 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, bytes, bytes, (start, shared, end) => {
        const base = Buffer.concat([shared, start, shared]);
        const target = Buffer.concat([start, shared, end, shared]);
        expect(apply(base, createDelta(base, target))).toEqual(target);
      }),
    );
  });

  it('does not split a character whose first byte is also in the base', () => {
    // é and è begin with the same byte: a copy that includes it would leave half a character to insert.
    const base = Buffer.from(`${'x'.repeat(40)}é${'y'.repeat(40)}`);
    const target = Buffer.from(`${'x'.repeat(40)}è${'y'.repeat(40)}`);
    const patch = createDelta(base, target);

    expect(isUtf8(Buffer.from(referenceDelta(base, target)))).toBe(false);
    expect(isUtf8(patch)).toBe(true);
    expect(apply(base, patch)).toEqual(target);
  });

  it('is fast on repetitive data', () => {
    const base = Buffer.alloc(64_000, 'ab');
    const target = Buffer.concat([Buffer.alloc(30_000, 'ab'), Buffer.from('c'), Buffer.alloc(30_000, 'ba')]);

    const start = process.cpuUsage();
    const patch = createDelta(base, target);

    expect(process.cpuUsage(start).user / 1_000).toBeLessThan(2000);
    expect(apply(base, patch)).toEqual(target);
  });

  it('is fast if every block has the same hash', () => {
    // The sum and the weighted sum are the same as those of 16 times `a`.
    const base = Buffer.from('b_baaaaaaab_baaa'.repeat(4_000));
    const target = Buffer.alloc(64_000, 'a');

    const start = process.cpuUsage();
    const patches = Array.from({ length: 20 }, () => createDelta(base, target));

    expect(process.cpuUsage(start).user / 1_000 / patches.length).toBeLessThan(500);
    expect(apply(base, patches[0]!)).toEqual(target);
  });
});
