import { checkGlob } from './pattern-limits.js';
import { compile, type TextTest } from './regex.js';

/** Matches no character at all. */
const NOTHING = '[^\\x{0}-\\x{10ffff}]';

/**
 * A glob: `*` matches any text, `?` one character, `[a-c]` and `[!a-c]` one of a set, `{a,b}` one of several texts, and a backslash
 * escapes the next character. An empty glob matches everything. A glob that is nested too deeply, or exceeds the limits of
 * {@link checkGlob}, matches nothing.
 */
export function glob(pattern: string): TextTest {
  if (pattern === '' || pattern === '*') return () => true;
  try {
    checkGlob(pattern);
    return compile(`(?s)^${translate(pattern)}$`);
  } catch {
    return () => false;
  }
}

function translate(pattern: string): string {
  let source = '';
  let depth = 0;
  for (const [token, set] of pattern.matchAll(/\\(?:.|$)|\[(!?(?:\\.|[^\]\\])+)\]|\*+|./gsu)) {
    if (set !== undefined) source += oneOf(set);
    else if (token.startsWith('*')) source += '.*';
    else if (token === '?') source += '.';
    else if (token === '{') {
      source += '(?:';
      depth++;
    } else if (token === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (token === ',' && depth > 0) source += '|';
    else source += literal(unescaped(token));
  }
  return source + ')'.repeat(depth);
}

function oneOf(set: string): string {
  const members = setMembers(set);
  if (set.startsWith('!')) return members === '' ? '.' : `[^${members}]`;
  return members === '' ? NOTHING : `[${members}]`;
}

/** The inside of a set, in which a hyphen between two characters forms a range. A range in descending order is empty. */
function setMembers(set: string): string {
  const members = set.replace(/^!/, '').matchAll(/(\\.|[^\\])(?:-(\\.|[^\\]))?/gsu);
  return Array.from(members, ([, from, to]) => {
    const first = unescaped(from!);
    if (to === undefined) return literal(first);
    const last = unescaped(to);
    return first.codePointAt(0)! <= last.codePointAt(0)! ? `${literal(first)}-${literal(last)}` : '';
  }).join('');
}

function unescaped(character: string): string {
  return character.length > 1 && character.startsWith('\\') ? character.slice(1) : character;
}

function literal(text: string): string {
  return Array.from(text, (character) => `\\x{${character.codePointAt(0)!.toString(16)}}`).join('');
}
