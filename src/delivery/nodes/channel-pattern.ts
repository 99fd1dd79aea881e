/**
 * Whether a name fits a glob: `*` stands for any text, `?` for one character, `[a-c]` and `[!a-c]` for one of a set, `{a,b}` for one
 * of several texts, and a backslash takes the meaning from the next character. An empty pattern fits everything.
 */
export function channelPattern(glob: string): (channel: string) => boolean {
  if (glob === '' || glob === '*') return () => true;
  const regex = new RegExp(`^${translate(glob)}$`, 'su');
  return (channel) => regex.test(channel);
}

function translate(glob: string): string {
  let source = '';
  let depth = 0;
  for (const [token, set] of glob.matchAll(/\\(?:.|$)|\[(!?(?:\\.|[^\]\\])+)\]|\*+|./gsu)) {
    if (set !== undefined) source += `[${set.startsWith('!') ? '^' : ''}${setMembers(set)}]`;
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

/** The inside of a set, in which a hyphen between two characters makes a range of them. A range that runs backwards is empty. */
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
  return Array.from(text, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`).join('');
}
