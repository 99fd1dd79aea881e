import { closest, distance } from 'fastest-levenshtein';

/** Returns `: did you mean NAME?` to append to a message about an unknown name, or an empty string if no candidate is similar. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  // A name that lacks its end is nearer to other short names, by the number of letters.
  const longer = candidates.find((candidate) => name.length > 3 && candidate.startsWith(name));
  if (longer !== undefined) return `: did you mean ${longer}?`;
  const nearest = closest(name, [...candidates]);
  return nearest && distance(name, nearest) <= Math.max(2, name.length / 4)
    ? `: did you mean ${nearest}?`
    : '';
}
