import { didYouMean } from '../config/did-you-mean.js';
import { version } from '../process/version.js';
import { CommandError } from './cli.errors.js';
import { checkconfig, genconfig } from './configuration.js';
import { health } from './health.js';
import { checktoken, gentoken } from './tokens.js';
import { usage } from './usage.js';

type Run = (argv: readonly string[]) => Promise<void> | void;

const commands: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['gentoken', gentoken],
  ['checktoken', checktoken],
  ['genconfig', genconfig],
  ['checkconfig', checkconfig],
  ['check', checkconfig],
  ['health', health],
]);

/**
 * Returns the command that the arguments name, or undefined if they start the server.
 * @throws CommandError if the command is unknown
 */
export function commandFor(argv: readonly string[]): (() => Promise<void> | void) | undefined {
  if (argv.includes('--help')) return () => void process.stdout.write(usage);
  if (argv.includes('--version')) return () => void process.stdout.write(`${version}\n`);
  const [name = '', ...rest] = argv;
  const run = commands.get(name);
  if (run !== undefined) return () => run(rest);
  if (name === '' || name.startsWith('-')) return undefined;
  const names = [...commands.keys()];
  throw new CommandError(
    `unknown command ${name}${didYouMean(name, names) || '.'} The commands are ${names.join(', ')}; without one, the server starts`,
  );
}
