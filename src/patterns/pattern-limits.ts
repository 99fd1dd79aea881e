import { CarillonError } from '../errors.js';

/** A regular expression or glob is so long, or has so many alternatives, that compiling or matching it would take too long. */
export class PatternTooLongError extends CarillonError {
  readonly code = 'pattern_too_long';
}

/** Limits of a regular expression, which is part of a configuration. */
export const MAX_REGEX_LENGTH = 4_096;
/** All counted repetitions multiplied: `(a{100}){100}` becomes a program of 10,000 steps. */
const MAX_REPETITIONS = 100_000;

/** Limits of a glob, which may be part of a request. */
export const MAX_GLOB_LENGTH = 512;
const MAX_GLOB_ALTERNATIVES = 64;

/** @throws PatternTooLongError */
export function checkRegex(source: string): void {
  if (source.length > MAX_REGEX_LENGTH)
    throw new PatternTooLongError(
      `the regular expression has ${source.length} characters: at most ${MAX_REGEX_LENGTH} are accepted`,
    );
  let repetitions = 1;
  for (const [, from = '1', to] of source.matchAll(/\{(\d+)(?:,(\d*))?\}/g))
    repetitions *= Math.max(1, Number(to === undefined || to === '' ? from : to));
  if (repetitions > MAX_REPETITIONS)
    throw new PatternTooLongError(
      `the counts of the regular expression multiply to ${repetitions}: at most ${MAX_REPETITIONS} are accepted`,
    );
}

/** @throws PatternTooLongError */
export function checkGlob(pattern: string): void {
  if (pattern.length > MAX_GLOB_LENGTH)
    throw new PatternTooLongError(
      `the pattern has ${pattern.length} characters: at most ${MAX_GLOB_LENGTH} are accepted`,
    );
  const alternatives = pattern.split(/[{,]/).length - 1;
  if (alternatives > MAX_GLOB_ALTERNATIVES)
    throw new PatternTooLongError(
      `the pattern has ${alternatives} alternatives: at most ${MAX_GLOB_ALTERNATIVES} are accepted`,
    );
}
