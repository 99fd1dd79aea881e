import { formerNamesOf, renamedNotice, type RenamedSettings } from './renamed-settings.js';
import { readText, type Assignment, type Setting } from './settings.js';
import { nearMisses, type WellKnownVariables } from './well-known.js';

/** What variables say about settings. */
export interface VariableSettings {
  readonly assignments: readonly Assignment[];
  /** Values that the presence of a variable implies for settings that have no value otherwise. */
  readonly implied: readonly Assignment[];
  /** Variables with the prefix of this program that are not known. */
  readonly unknown: readonly string[];
  /** Messages about former names. */
  readonly notices: readonly string[];
}

/** The names that variables may have. */
export interface KnownNames {
  readonly settings: readonly Setting[];
  readonly wellKnown: WellKnownVariables;
  readonly renamed: RenamedSettings;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'CARILLON_';
/** Variables of this program that are not settings: the configuration file, and those of the test and broker scripts. */
const NOT_SETTINGS = new Set([
  'CARILLON_CONFIG',
  'CARILLON_BROKERS',
  'CARILLON_BROKERS_DIR',
  'CARILLON_REQUIRE_BROKERS',
]);

/**
 * Reads variables. An empty variable counts as absent, because a `.env` file may contain lines without a value. Of several
 * assignments to one setting the last one wins: first those of well-known names, then of former names, then of its own name.
 */
export function readVariables(
  variables: Environment,
  { settings, wellKnown, renamed }: KnownNames,
  where: string,
): VariableSettings {
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
  for (const [name, right] of Object.entries(nearMisses))
    if (variables[name] && !variables[right] && right in wellKnown)
      notices.push(`${name} in ${where} has no effect: did you mean ${right}?`);
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
