import { closest, distance } from 'fastest-levenshtein';

/** A question to put behind the complaint about an unknown name. Empty where no candidate is near. */
export function guess(name: string, candidates: readonly string[]): string {
  const nearest = closest(name, [...candidates]);
  return nearest && distance(name, nearest) <= Math.max(2, name.length / 4)
    ? `: did you mean ${nearest}?`
    : '';
}
