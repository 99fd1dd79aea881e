import { CommandError } from './cli.errors.js';

/**
 * Takes the first positional argument out of a command's arguments: the first one that is neither a flag nor the value of a flag.
 * Every flag before it must have a value.
 */
export function takePositional(argv: readonly string[]): {
  readonly positional?: string;
  readonly rest: readonly string[];
} {
  const isFlag = (argument = ''): boolean => argument.startsWith('-');
  const at = argv.findIndex((argument, i) => {
    const previous = argv[i - 1] ?? '';
    return !isFlag(argument) && !(isFlag(previous) && !previous.includes('='));
  });
  const positional = argv[at];
  return positional === undefined ? { rest: argv } : { positional, rest: argv.toSpliced(at, 1) };
}

export interface Arguments<Name extends string> {
  readonly flags: Readonly<Partial<Record<Name, string>>>;
  /** The other arguments, in their order: settings and positional arguments. */
  readonly rest: readonly string[];
}

/**
 * Takes a command's own flags (`-u 42`, `--user 42`, `--user=42`) out of its arguments.
 * @param spellings the spellings of each flag, by the name under which its value is returned
 * @throws CommandError if a flag has no value
 */
export function takeFlags<Name extends string>(
  argv: readonly string[],
  spellings: Readonly<Record<Name, readonly string[]>>,
): Arguments<Name> {
  const names = Object.keys(spellings) as Name[];
  const flags: Partial<Record<Name, string>> = {};
  const rest: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? '';
    const [, flag = argument, inline] = /^(--[^=]+)=(.*)$/s.exec(argument) ?? [];
    const name = names.find((candidate) => spellings[candidate].includes(flag));
    if (name === undefined) {
      rest.push(argument);
      continue;
    }
    const value = inline ?? argv[++at];
    if (value === undefined) throw new CommandError(`${flag} needs a value`);
    flags[name] = value;
  }
  return { flags, rest };
}
