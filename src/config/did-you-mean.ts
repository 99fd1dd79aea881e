import { closest, distance } from 'fastest-levenshtein';

/** Returns `: did you mean NAME?` to append to a message about an unknown name, or an empty string if no candidate is similar. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const nearest = closest(name, [...candidates]);
  return nearest && distance(name, nearest) <= Math.max(2, name.length / 4)
    ? `: did you mean ${nearest}?`
    : '';
}
