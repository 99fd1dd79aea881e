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
