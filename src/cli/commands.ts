import { version } from '../version.js';
import { checkconfig, genconfig } from './configuration.js';
import { checktoken, gentoken } from './tokens.js';
import { usage } from './usage.js';

type Run = (argv: readonly string[]) => Promise<void> | void;

const commands: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['gentoken', gentoken],
  ['checktoken', checktoken],
  ['genconfig', genconfig],
  ['checkconfig', checkconfig],
]);

/** What is to be done instead of serving; undefined where the arguments are settings of the server. */
export function commandFor(argv: readonly string[]): (() => Promise<void> | void) | undefined {
  if (argv.includes('--help')) return () => void process.stdout.write(usage);
  if (argv.includes('--version')) return () => void process.stdout.write(`${version}\n`);
  const [name = '', ...rest] = argv;
  const run = commands.get(name);
  return run && (() => run(rest));
}
