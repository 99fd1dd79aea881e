import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from './config.errors.js';
import { readText, type Setting } from './settings.js';
import type { WellKnownVariables } from './well-known.js';

/** A value for one setting, and where it was read, in words for a fault message. */
export interface Assignment {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: string;
}

export interface Source {
  readonly assignments: readonly Assignment[];
  /** What the presence of a variable decides where nothing else does. */
  readonly implied: readonly Assignment[];
  /** Names with our prefix that mean nothing. */
  readonly unknown: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'CARILLON_';
/** Read before the settings are, or by the test and broker scripts: no settings themselves. */
const NOT_SETTINGS = new Set([
  'CARILLON_CONFIG',
  'CARILLON_BROKERS',
  'CARILLON_BROKERS_DIR',
  'CARILLON_REQUIRE_BROKERS',
]);

/** Reads variables. An empty one counts as absent, as in a `.env` file whose lines were left blank. */
export function fromVariables(
  variables: Environment,
  settings: readonly Setting[],
  wellKnown: WellKnownVariables,
  where: string,
): Source {
  const byKey = new Map(settings.map((setting) => [setting.key, setting]));
  const byVariable = new Map(settings.map((setting) => [setting.variable, setting]));
  const assignments: Assignment[] = [];
  const implied: Assignment[] = [];
  const unknown: string[] = [];
  const read = (key: string, text: string, name: string): Assignment[] => {
    const setting = byKey.get(key);
    return setting ? [{ setting, value: readText(setting, text), origin: `${name} in ${where}` }] : [];
  };

  for (const [name, { sets, implies = {} }] of Object.entries(wellKnown)) {
    const text = variables[name];
    if (text === undefined || text === '') continue;
    assignments.push(...sets.flatMap((key) => read(key, text, name)));
    implied.push(...Object.entries(implies).flatMap(([key, value]) => read(key, value, name)));
  }
  for (const [name, text] of Object.entries(variables)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === '') continue;
    const setting = byVariable.get(name);
    if (setting) assignments.push(...read(setting.key, text, name));
    else if (!(name in wellKnown) && !NOT_SETTINGS.has(name)) unknown.push(`${name} in ${where}`);
  }
  return { assignments, implied, unknown };
}

/** The `.env` file of the working directory; none is fine. */
export function readDotEnv(cwd: string): Environment {
  const path = resolve(cwd, '.env');
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
}

/** The configuration file, as it is. */
export function readConfigFile(cwd: string, file: string): unknown {
  const path = resolve(cwd, file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError([
      `cannot read the configuration file ${file} (${code ?? 'unknown error'}): check the path`,
    ]);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigError([`the configuration file ${file} is not JSON: ${(cause as Error).message}`]);
  }
}

export interface Flags extends Source {
  readonly configFile?: string;
}

const SHORT_FLAGS: Readonly<Record<string, string>> = { port: 'server.port', host: 'server.host' };

/** Reads `--key value` and `--key=value`. A boolean setting may stand alone. */
export function fromFlags(argv: readonly string[], settings: readonly Setting[]): Flags {
  const byKey = new Map(settings.map((setting) => [setting.key, setting]));
  const assignments: Assignment[] = [];
  const unknown: string[] = [];
  let configFile: string | undefined;

  for (let i = 0; i < argv.length; i++) {
    const [, name = '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(argv[i] ?? '') ?? [];
    const setting = byKey.get(SHORT_FLAGS[name] ?? name);
    if (name !== 'config' && setting === undefined) {
      unknown.push(name === '' ? `the argument ${argv[i]}` : `the flag ${argv[i]}`);
      continue;
    }
    const next = argv[i + 1];
    const alone = inline === undefined && (next === undefined || next.startsWith('--'));
    if (alone && setting?.type !== 'boolean') throw new ConfigError([`the flag --${name} needs a value`]);
    const text = inline ?? (alone ? 'true' : argv[++i]) ?? '';
    if (setting) assignments.push({ setting, value: readText(setting, text), origin: `the flag --${name}` });
    else configFile = text;
  }
  return { assignments, implied: [], unknown, ...(configFile !== undefined ? { configFile } : {}) };
}
