import { RE2JS } from 're2js';
import { checkRegex } from './pattern-limits.js';

/** Returns whether a text matches. */
export type TextTest = (text: string) => boolean;

/**
 * A regular expression for untrusted texts: the time is linear in the length of the text, whatever the expression. The syntax is
 * that of RE2 (https://github.com/google/re2/wiki/Syntax), as in Go. The expression may match anywhere in the text.
 * @throws PatternTooLongError, Error if `source` is not a valid expression
 */
export function regex(source: string): TextTest {
  checkRegex(source);
  return compile(source);
}

/** As {@link regex}, without limits: a glob becomes an expression that is longer. */
export function compile(source: string): TextTest {
  const compiled = RE2JS.compile(source);
  return (text) => compiled.test(text);
}

export function isRegex(source: string): boolean {
  try {
    regex(source);
    return true;
  } catch {
    return false;
  }
}
