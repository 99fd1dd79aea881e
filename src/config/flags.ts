import { didYouMean } from './did-you-mean.js';
import { formerNamesOf, renamedNotice, type RenamedSettings } from './renamed-settings.js';
import { readText, type Assignment, type Setting } from './settings.js';

export interface Flags {
  readonly assignments: readonly Assignment[];
  readonly configFile?: string;
  /** Flags that cannot be read. They do not quote values, which may be secrets. */
  readonly faults: readonly string[];
  /** Uses of former names. */
  readonly notices: readonly string[];
}

const CONFIG_FILE = 'config';
const SHORT_FLAGS: Readonly<Record<string, string>> = {
  port: 'server.port',
  host: 'server.host',
  role: 'server.roles',
};

/** Reads `--key value` and `--key=value`. The flag of a boolean setting needs no value. */
export function readFlags(
  argv: readonly string[],
  settings: readonly Setting[],
  renamed: RenamedSettings,
): Flags {
  const byName = new Map(settings.map((setting) => [setting.key, setting]));
  for (const [name, key] of Object.entries(SHORT_FLAGS)) {
    const setting = byName.get(key);
    if (setting !== undefined) byName.set(name, setting);
  }
  const names = [CONFIG_FILE, ...byName.keys()];
  for (const setting of settings)
    for (const { key } of formerNamesOf(setting, renamed)) byName.set(key, setting);
  const assignments: Assignment[] = [];
  const faults: string[] = [];
  const notices: string[] = [];
  let configFile: string | undefined;

  for (let i = 0; i < argv.length; i++) {
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(argv[i] ?? '') ?? [];
    if (name === undefined) {
      faults.push(`the argument ${argv[i]} is unknown`);
      continue;
    }
    const setting = byName.get(name);
    const alone = inline === undefined && (argv[i + 1]?.startsWith('--') ?? true);
    const text = inline ?? (alone ? 'true' : argv[++i]) ?? '';
    const origin = `the flag --${name}`;
    if (setting === undefined && name !== CONFIG_FILE)
      faults.push(`${origin} is unknown${didYouMean(name, names)}`);
    else if (alone && setting?.type !== 'boolean') faults.push(`${origin} needs a value`);
    else if (setting) {
      assignments.push({ setting, value: readText(setting, text), origin });
      if (!names.includes(name)) notices.push(renamedNotice(origin, `--${setting.key}`));
    } else configFile = text;
  }
  return { assignments, faults, notices, ...(configFile !== undefined ? { configFile } : {}) };
}
