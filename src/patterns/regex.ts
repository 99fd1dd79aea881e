import { RE2JS } from 're2js';

/** Whether a text fits. */
export type TextTest = (text: string) => boolean;

/**
 * A regular expression for texts that strangers choose: the time is linear in the text, whatever the expression. The
 * syntax is that of RE2 (https://github.com/google/re2/wiki/Syntax), as in Go, and so as in Centrifugo. It fits where
 * it matches anywhere in the text.
 * @throws Error when `source` is none
 */
export function regex(source: string): TextTest {
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
