import type { z } from 'zod';
import { ConfigError } from './config.errors.js';
import { didYouMean } from './did-you-mean.js';
import { readConfigFile, readDotEnv } from './files.js';
import { readFlags } from './flags.js';
import { readVariables, type Environment } from './variables.js';
import { applyRenames, renamedNotice, type RenamedSettings } from './renamed-settings.js';
import { settingsOf, type Assignment, type Setting } from './settings.js';
import type { Translate, Translation } from './translation.js';
import { isTree, merge, setAt, valueAt, type Tree } from './tree.js';
import type { WellKnownVariables } from './well-known.js';

export interface LoadRequest<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly wellKnown: WellKnownVariables;
  readonly renamed?: RenamedSettings;
  /** Sections in which an unknown key is a fault, with the keys that they have. */
  readonly strictSections?: Readonly<Record<string, readonly string[]>>;
  readonly argv: readonly string[];
  /** Absent: neither the environment nor a file is read. */
  readonly env?: Environment;
  /** Values that an application passes. They win over all others, and an unknown key among them is a fault. */
  readonly given?: object;
  readonly cwd: string;
  /** Translates files and variables of another product. */
  readonly translate?: Translate;
  /** Translates the joined values of all sources, before the schema checks them. */
  readonly normalize?: (tree: Tree) => Normalized;
}

export interface Normalized {
  readonly tree: Tree;
  /** Messages for the operator. */
  readonly notices: readonly string[];
}

export interface Loaded<Config> {
  /** Frozen. */
  readonly config: Config;
  /** Messages for the operator about problems that do not prevent a start, such as unknown names. */
  readonly notices: readonly string[];
  /** Those of the notices that are about something that the configuration is for and that does not work. */
  readonly errors: readonly string[];
}

/**
 * Joins all sources of settings. A later one wins: defaults, the configuration file (`--config` or `CARILLON_CONFIG`), the `.env`
 * file, the environment, flags.
 *
 * @throws ConfigError with all faults, each with the origin of its value
 */
export function loadConfig<Schema extends z.ZodType>(request: LoadRequest<Schema>): Loaded<z.output<Schema>> {
  const { schema, wellKnown, renamed = {}, argv, cwd } = request;
  const settings = settingsOf(schema);
  const { env = {} } = request;
  const given = (request.given ?? {}) as Tree;
  const dotEnv = request.env === undefined ? {} : readDotEnv(cwd);
  const flags = readFlags(argv, settings, renamed);
  const configFile = flags.configFile ?? (env.CARILLON_CONFIG || dotEnv.CARILLON_CONFIG);

  const file = configFile ? asTree(readConfigFile(cwd, configFile), configFile) : {};
  const translated = request.translate?.(file, { ...dotEnv, ...env });
  let tree: Tree = structuredClone(translated?.file ?? file);
  const notices = [...(translated?.notices ?? [])];
  for (const [former, present] of applyRenames(tree, renamed))
    notices.push(renamedNotice(`${former} in ${configFile}`, present));
  const origins = new Map(translated?.origins);

  const sources = [
    readVariables(dotEnv, { settings, wellKnown, renamed }, 'the .env file'),
    readVariables(env, { settings, wellKnown, renamed }, 'the environment'),
  ];
  notices.push(...[...sources, flags].flatMap((source) => source.notices));
  for (const assignment of [...sources, flags].flatMap(({ assignments }) => assignments)) {
    setAt(tree, assignment.setting.path, assignment.value);
    origins.set(assignment.setting.key, assignment.origin);
  }
  // Of several implied values the last one wins. A value that is set explicitly wins over implied ones.
  const implied = [...impliedBy(translated, settings), ...sources.flatMap((source) => source.implied)];
  for (const { setting, value } of implied.toReversed())
    if (valueAt(tree, setting.path) === undefined) setAt(tree, setting.path, value);

  tree = merge(tree, structuredClone(given));
  for (const { key, path } of settings)
    if (valueAt(given, path) !== undefined) origins.set(key, 'the options');

  const known = settings.map(({ key }) => key);
  const variables = [...settings.map(({ variable }) => variable), ...Object.keys(wellKnown)];
  for (const name of sources.flatMap(({ unknown }) => unknown))
    notices.push(`${name} is unknown and was ignored${didYouMean(name.split(' ')[0] ?? '', variables)}`);

  const strictSections = Object.entries(request.strictSections ?? {});
  const unknownInStrict: string[] = [];
  const normalized = request.normalize?.(tree) ?? { tree, notices: [] };
  notices.push(...normalized.notices);
  const result = parseWithoutUnknown(schema, normalized.tree, (key) => {
    const isGiven = valueAt(given, key.split('.')) !== undefined;
    const where = `${key} in ${isGiven ? 'the options' : (origins.get(key) ?? configFile ?? 'a variable or a flag')}`;
    const strict = strictSections.find(([section]) => key.startsWith(`${section}.`));
    if (strict !== undefined)
      unknownInStrict.push(`${where} is unknown${didYouMean(lastOf(key), strict[1])}`);
    else if (isGiven) unknownInStrict.push(`${where} is unknown${didYouMean(key, known)}`);
    else notices.push(`${where} is unknown and was ignored${didYouMean(key, known)}`);
  });
  const faults = [
    ...(translated?.faults ?? []),
    ...flags.faults,
    ...unknownInStrict,
    ...(result.error?.issues ?? []).map((issue) => describe(issue, settings, tree, origins)),
  ];
  if (!result.success || faults.length > 0) throw new ConfigError(faults, notices);
  return { config: deepFreeze(result.data), notices, errors: translated?.errors ?? [] };
}

function asTree(value: unknown, file: string): Tree {
  if (isTree(value)) return value;
  throw new ConfigError([`the configuration file ${file} must contain one JSON object`]);
}

function impliedBy(translation: Translation | undefined, settings: readonly Setting[]): Assignment[] {
  const { implied = {} } = translation ?? {};
  return settings
    .filter(({ key }) => Object.hasOwn(implied, key))
    .map((setting) => ({ setting, value: implied[setting.key], origin: 'the configuration file' }));
}

function lastOf(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

/** Parses a configuration without its unknown keys, which deserve a warning, not an outage. */
function parseWithoutUnknown<Schema extends z.ZodType>(
  schema: Schema,
  tree: Tree,
  report: (key: string) => void,
) {
  const first = schema.safeParse(tree);
  if (first.success) return first;
  for (const issue of first.error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const parent = issue.path.reduce<Tree>((node, name) => node[String(name)] as Tree, tree);
    for (const name of issue.keys) {
      Reflect.deleteProperty(parent, name);
      report([...issue.path, name].join('.'));
    }
  }
  return schema.safeParse(tree);
}

function describe(
  issue: z.core.$ZodIssue,
  settings: readonly Setting[],
  tree: Tree,
  origins: ReadonlyMap<string, string>,
): string {
  const key = issue.path.join('.');
  // The issue may concern one item of a list.
  const setting = settings.find((candidate) => `${key}.`.startsWith(`${candidate.key}.`));
  const origin = origins.get(key) ?? (setting && origins.get(setting.key));
  // Our own messages say what is accepted. Those of zod need the description of the setting.
  const means =
    issue.code !== 'custom' && setting?.key === key && setting.description ? `. ${setting.description}` : '';
  const where = origin
    ? ` (from ${origin}${valueText(setting, tree)})`
    : setting
      ? ` (set it in the configuration file, with ${setting.variable} or --${setting.key})`
      : '';
  return `${key || 'the configuration'}: ${issue.message}${where}${means}`;
}

/** The wrong value, if it cannot be a secret: text may be one, also where the setting is not marked as such. */
function valueText(setting: Setting | undefined, tree: Tree): string {
  if (setting === undefined || setting.secret) return '';
  const isText = setting.type !== 'integer' && setting.type !== 'number' && setting.type !== 'boolean';
  if (isText && setting.choices === undefined) return '';
  return `: ${JSON.stringify(valueAt(tree, setting.path))}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
