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

/** The named groups of a match. A group that took no part in it is left out. */
export type TextGroups = (text: string) => ReadonlyMap<string, string> | undefined;

/**
 * Like {@link regex}, but returns the named groups (`(?P<name>…)` or `(?<name>…)`) of the first match, or undefined without one.
 * @throws PatternTooLongError, Error if `source` is not a valid expression
 */
export function regexGroups(source: string): TextGroups {
  checkRegex(source);
  const compiled = RE2JS.compile(source);
  const names = Object.keys(compiled.namedGroups());
  return (text) => {
    const matcher = compiled.matcher(text);
    if (!matcher.find()) return undefined;
    const groups = new Map<string, string>();
    for (const name of names) {
      const value = matcher.group(name);
      if (value !== null) groups.set(name, value);
    }
    return groups;
  };
}

/** The names of the groups of a valid expression. */
export function groupNames(source: string): readonly string[] {
  return Object.keys(RE2JS.compile(source).namedGroups());
}
