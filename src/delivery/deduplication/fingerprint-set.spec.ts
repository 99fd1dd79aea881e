import { describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, property, string, tuple } from 'fast-check';
import { FingerprintSet } from './fingerprint-set.js';
import { Fingerprint } from './fingerprint.js';

const fingerprint = new Fingerprint();

describe('FingerprintSet', () => {
  it('contains what was added, and nothing else', () => {
    const text = string({ unit: constantFrom('a', 'b', 'ü'), maxLength: 3 });
    assert(
      property(array(tuple(text, text), { maxLength: 2_000 }), (pairs) => {
        const set = new FingerprintSet();
        const model = new Set<string>();
        for (const [one, other] of pairs) {
          const key = JSON.stringify([one, other]);
          expect(set.has(fingerprint.of(one, other))).toBe(model.has(key));
          set.add(fingerprint.of(one, other));
          model.add(key);
          expect(set.size).toBe(model.size);
        }
      }),
    );
  });

  it('contains everything after it has grown, from any initial size', () => {
    const small = new FingerprintSet();
    const ids = Array.from({ length: 5_000 }, (_, index) => `id-${index}`);
    for (const id of ids) small.add(fingerprint.of(id, 'a'));
    const like = new FingerprintSet(small);
    for (const id of ids) like.add(fingerprint.of(id, 'b'));
    for (const id of ids) {
      expect(small.has(fingerprint.of(id, 'a'))).toBe(true);
      expect(like.has(fingerprint.of(id, 'b'))).toBe(true);
      expect(like.has(fingerprint.of(id, 'a'))).toBe(false);
    }
    expect([small.size, like.size]).toEqual([5_000, 5_000]);
  });
});
