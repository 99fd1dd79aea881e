import type { z } from 'zod';
import { ConfigError } from './config.errors.js';
import { guess } from './guess.js';
import { readConfigFile, readDotEnv } from './files.js';
import { fromFlags } from './flags.js';
import { fromVariables, type Assignment, type Environment } from './sources.js';
import { applyRenames, renamedNotice, type RenamedSettings } from './renamed-settings.js';
import { settingsOf, type Setting } from './settings.js';
import type { Translate, Translation } from './translation.js';
import { isTree, setAt, valueAt, type Tree } from './tree.js';
import type { WellKnownVariables } from './well-known.js';

export interface LoadRequest<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly wellKnown: WellKnownVariables;
  readonly renamed?: RenamedSettings;
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  /** Comes before everything else, for files and variables with another product's names. */
  readonly translate?: Translate;
}

export interface Loaded<Config> {
  /** Frozen. */
  readonly config: Config;
  /** What an operator should know although it prevents nothing: unknown names, with a guess at what was meant. */
  readonly notices: readonly string[];
}

/**
 * Joins, from the weakest to the strongest: defaults, the configuration file (`--config` or `CARILLON_CONFIG`), the `.env`
 * file, the environment, flags.
 *
 * @throws ConfigError with every fault at once, each with where the value came from
 */
export function loadConfig<Schema extends z.ZodType>(request: LoadRequest<Schema>): Loaded<z.output<Schema>> {
  const { schema, wellKnown, renamed = {}, argv, cwd } = request;
  const settings = settingsOf(schema);
  const dotEnv = readDotEnv(cwd);
  const flags = fromFlags(argv, settings, renamed);
  const configFile = flags.configFile ?? (request.env.CARILLON_CONFIG || dotEnv.CARILLON_CONFIG);

  const file = configFile ? asTree(readConfigFile(cwd, configFile), configFile) : {};
  const translated = request.translate?.(file, { ...dotEnv, ...request.env });
  const tree: Tree = structuredClone(translated?.file ?? file);
  const notices = [...(translated?.notices ?? [])];
  for (const [former, present] of applyRenames(tree, renamed))
    notices.push(renamedNotice(`${former} in ${configFile}`, present));
  const origins = new Map(translated?.origins);

  const sources = [
    fromVariables(dotEnv, { settings, wellKnown, renamed }, 'the .env file'),
    fromVariables(request.env, { settings, wellKnown, renamed }, 'the environment'),
  ];
  notices.push(...[...sources, flags].flatMap((source) => source.notices));
  for (const assignment of [...sources, flags].flatMap(({ assignments }) => assignments)) {
    setAt(tree, assignment.setting.path, assignment.value);
    origins.set(assignment.setting.key, assignment.origin);
  }
  // The last that applies wins among the implied, but anything said outright wins over them.
  const implied = [...impliedBy(translated, settings), ...sources.flatMap((source) => source.implied)];
  for (const { setting, value } of implied.toReversed())
    if (valueAt(tree, setting.path) === undefined) setAt(tree, setting.path, value);

  const known = settings.map(({ key }) => key);
  const variables = [...settings.map(({ variable }) => variable), ...Object.keys(wellKnown)];
  for (const name of sources.flatMap(({ unknown }) => unknown))
    notices.push(`${name} is unknown and was ignored${guess(name.split(' ')[0] ?? '', variables)}`);

  const result = parseWithoutUnknown(schema, tree, (key) => {
    notices.push(
      `${key} in ${origins.get(key) ?? configFile} is unknown and was ignored${guess(key, known)}`,
    );
  });
  const faults = [
    ...flags.faults,
    ...(result.error?.issues ?? []).map((issue) => describe(issue, settings, origins)),
  ];
  if (!result.success || faults.length > 0) throw new ConfigError(faults, notices);
  return { config: deepFreeze(result.data), notices };
}

function asTree(value: unknown, file: string): Tree {
  if (isTree(value)) return value;
  throw new ConfigError([`the configuration file ${file} must hold one JSON object`]);
}

function impliedBy(translation: Translation | undefined, settings: readonly Setting[]): Assignment[] {
  const { implied = {} } = translation ?? {};
  return settings
    .filter(({ key }) => Object.hasOwn(implied, key))
    .map((setting) => ({ setting, value: implied[setting.key], origin: 'the configuration file' }));
}

/** Unknown keys are worth a warning, not an outage: they are reported, taken out, and the rest is parsed. */
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
  origins: ReadonlyMap<string, string>,
): string {
  const key = issue.path.join('.');
  // The fault may be in one item of a list.
  const setting = settings.find((candidate) => `${key}.`.startsWith(`${candidate.key}.`));
  const origin = origins.get(key) ?? (setting && origins.get(setting.key));
  // A message of our own says what is accepted; one of zod's needs the description for that.
  const means =
    issue.code !== 'custom' && setting?.key === key && setting.description ? `. ${setting.description}` : '';
  const where = origin
    ? ` (from ${origin})`
    : setting
      ? ` (set it in the file, by ${setting.variable} or --${setting.key})`
      : '';
  return `${key || 'the configuration'}: ${issue.message}${where}${means}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
