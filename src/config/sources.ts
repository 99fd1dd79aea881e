import { formerNamesOf, renamedNotice, type RenamedSettings } from './renamed-settings.js';
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
  /** Uses of former names. */
  readonly notices: readonly string[];
}

/** The names that a source may use. */
export interface Names {
  readonly settings: readonly Setting[];
  readonly wellKnown: WellKnownVariables;
  readonly renamed: RenamedSettings;
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

/**
 * Reads variables. An empty one counts as absent, as in a `.env` file whose lines were left blank. The later of the assignments
 * wins: well-known names, then former ones, then a setting's own.
 */
export function fromVariables(
  variables: Environment,
  { settings, wellKnown, renamed }: Names,
  where: string,
): Source {
  const byKey = new Map(settings.map((setting) => [setting.key, setting]));
  const byVariable = new Map(settings.map((setting) => [setting.variable, setting]));
  const byFormerName = new Map(
    settings.flatMap((setting) => formerNamesOf(setting, renamed).map(({ variable }) => [variable, setting])),
  );
  const read = (setting: Setting | undefined, text: string, name: string): Assignment[] =>
    setting ? [{ setting, value: readText(setting, text), origin: `${name} in ${where}` }] : [];

  const fromWellKnown: Assignment[] = [];
  const implied: Assignment[] = [];
  for (const [name, { sets, implies = {} }] of Object.entries(wellKnown)) {
    const text = variables[name];
    if (text === undefined || text === '') continue;
    fromWellKnown.push(...sets.flatMap((key) => read(byKey.get(key), text, name)));
    implied.push(...Object.entries(implies).flatMap(([key, value]) => read(byKey.get(key), value, name)));
  }
  const own: Assignment[] = [];
  const fromFormerNames: Assignment[] = [];
  const unknown: string[] = [];
  const notices: string[] = [];
  for (const [name, text] of Object.entries(variables)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === '') continue;
    const renamedSetting = byFormerName.get(name);
    if (byVariable.has(name)) own.push(...read(byVariable.get(name), text, name));
    else if (renamedSetting !== undefined) {
      fromFormerNames.push(...read(renamedSetting, text, name));
      notices.push(renamedNotice(`${name} in ${where}`, renamedSetting.variable));
    } else if (!(name in wellKnown) && !NOT_SETTINGS.has(name)) unknown.push(`${name} in ${where}`);
  }
  return { assignments: [...fromWellKnown, ...fromFormerNames, ...own], implied, unknown, notices };
}
