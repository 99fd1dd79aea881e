import { CommandError } from './cli.errors.js';

/**
 * Takes what stands alone out of arguments: the first that is neither a flag nor the value of one. Flags of the server that stand
 * alone themselves come behind it.
 */
export function takeLone(argv: readonly string[]): {
  readonly lone?: string;
  readonly rest: readonly string[];
} {
  const isFlag = (argument = ''): boolean => argument.startsWith('-');
  const at = argv.findIndex(
    (each, i) => !isFlag(each) && !(isFlag(argv[i - 1]) && !argv[i - 1]!.includes('=')),
  );
  return at < 0 ? { rest: argv } : { lone: argv[at]!, rest: argv.toSpliced(at, 1) };
}

export interface Arguments<Name extends string> {
  readonly flags: Readonly<Partial<Record<Name, string>>>;
  /** What is no flag of the command, in its order: settings, and what stands alone. */
  readonly rest: readonly string[];
}

/**
 * Takes a command's own flags (`-u 42`, `--user 42`, `--user=42`) out of its arguments.
 * @param spellings the flags by the name under which they are returned
 * @throws CommandError when a flag has no value
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
