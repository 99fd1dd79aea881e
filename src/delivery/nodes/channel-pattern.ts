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
    else source += literal(token.length > 1 && token.startsWith('\\') ? token.slice(1) : token);
  }
  return source + ')'.repeat(depth);
}

/** The inside of a set, in which only a hyphen between two characters keeps its meaning. */
function setMembers(set: string): string {
  return set.replace(/^!/, '').replaceAll(/\\?([[\]\\^&~|])/g, String.raw`\$1`);
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
