import { describe, expect, it } from '@jest/globals';
import { Fingerprint } from './fingerprint.js';

const of = (one: string, other: string) => {
  const { a, b, c, d } = new Fingerprint().of(one, other);
  return [a, b, c, d];
};

describe('Fingerprint', () => {
  it('is the same for the same texts', () => {
    expect(of('id', 'channel')).toEqual(of('id', 'channel'));
  });

  it('differs for two texts that are the same when concatenated', () => {
    expect(of('ab', 'c')).not.toEqual(of('a', 'bc'));
    expect(of('', 'abc')).not.toEqual(of('abc', ''));
  });

  it('changes half of its bits, in each part, if any bit of a text changes', () => {
    const counts = [0, 0, 0, 0];
    const rounds = 2_000;
    for (let round = 0; round < rounds; round++) {
      const text = `0197b3a4-${round.toString(16).padStart(4, '0')}-7abc-9def-0123456789ab`;
      const at = round % text.length;
      const other = `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`;
      const [one, two] = [of(text, 'news'), of(other, 'news')];
      for (const part of counts.keys()) counts[part]! += bitsOf(one[part]! ^ two[part]!);
    }
    for (const count of counts) expect(Math.abs(count / rounds - 16)).toBeLessThan(1);
  });

  it('differs for many similar texts', () => {
    const seen = new Set<string>();
    for (let number = 0; number < 50_000; number++) {
      const parts = of(`id-${number}`, 'a');
      // Half of it is enough to tell so few apart, whichever half.
      seen.add(`${parts[0]} ${parts[1]}`).add(`${parts[2]}-${parts[3]}`);
    }
    expect(seen.size).toBe(100_000);
  });
});

function bitsOf(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest > 0; rest >>>= 1) count += rest & 1;
  return count;
}
