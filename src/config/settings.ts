import { z } from 'zod';

export type SettingType = 'string' | 'integer' | 'number' | 'boolean' | 'list' | 'json';

/** One value of the configuration, with every name under which it can be set. */
export interface Setting {
  /** Dotted path in the configuration file, and name of the flag: `bus.instant.topic`. */
  readonly key: string;
  readonly path: readonly string[];
  /** `CARILLON_BUS_INSTANT_TOPIC`. */
  readonly variable: string;
  readonly type: SettingType;
  readonly description: string;
  readonly default?: unknown;
  /** The accepted words, if it accepts nothing else. */
  readonly choices?: readonly string[];
  /** Never printed. */
  readonly secret: boolean;
}

/** A value for one setting. */
export interface Assignment {
  readonly setting: Setting;
  readonly value: unknown;
  /** Where the value comes from, in words for a message: `PORT in the environment`. */
  readonly origin: string;
}

/** The part of a JSON Schema that is read here. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly secret?: boolean;
}

/** Returns the settings of a configuration schema. The branches of a union are merged. */
export function settingsOf(schema: z.ZodType): Setting[] {
  const found = new Map<string, Setting>();
  walk(z.toJSONSchema(schema, { io: 'input' }) as Node, [], found);
  return [...found.values()];
}

function walk(node: Node, path: readonly string[], found: Map<string, Setting>): void {
  const branches = (node.oneOf ?? node.anyOf ?? [node]).filter((branch) => branch.properties);
  if (branches.length === 0) {
    add(node, path, found);
    return;
  }
  for (const branch of branches)
    for (const [name, child] of Object.entries(branch.properties ?? {})) walk(child, [...path, name], found);
}

function add(node: Node, path: readonly string[], found: Map<string, Setting>): void {
  const key = path.join('.');
  const seen = found.get(key);
  const choices = [...(seen?.choices ?? []), ...choicesOf(node)];
  found.set(key, {
    key,
    path,
    variable: variableOf(path),
    type: seen?.type ?? typeOf(node),
    description: seen?.description || (node.description ?? ''),
    ...(node.default !== undefined ? { default: node.default } : {}),
    ...(choices.length > 0 ? { choices: [...new Set(choices)] } : {}),
    secret: node.secret ?? false,
  });
}

/** Returns no words if the setting also accepts something else, such as a number. */
function choicesOf(node: Node): string[] {
  if (typeof node.const === 'string') return [node.const];
  const branches = (node.anyOf ?? []).map(choicesOf);
  if (branches.some((choices) => choices.length === 0)) return [];
  return [...(node.enum ?? []).map(String), ...branches.flat()];
}

function typeOf(node: Node): SettingType {
  switch (node.type) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return node.type;
    case 'array':
      return 'list';
    case 'object':
      return 'json';
    default:
      // A union, such as a number or `auto`, is read as its first branch. Without branches it is text.
      return node.anyOf?.[0] ? typeOf(node.anyOf[0]) : 'string';
  }
}

/** `CARILLON_BUS_INSTANT_TOPIC` for `bus.instant.topic`. */
export function variableOf(path: readonly string[]): string {
  const words = path.map((name) => name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase());
  return `CARILLON_${words.join('_')}`;
}

/**
 * Converts the text of a variable or a flag to the type of a setting. Text that cannot be converted is returned unchanged, so that
 * the schema reports it together with all other faults.
 */
export function readText(setting: Setting, text: string): unknown {
  switch (setting.type) {
    case 'integer':
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return (
        { true: true, t: true, '1': true, yes: true, false: false, f: false, '0': false, no: false }[
          text.toLowerCase()
        ] ?? text
      );
    case 'list':
      return text.trimStart().startsWith('[') ? readJson(text) : splitList(text);
    case 'json':
      return readJson(text);
    case 'string':
      return text;
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
