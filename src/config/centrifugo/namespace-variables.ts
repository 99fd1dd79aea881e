import type { Environment } from '../variables.js';
import { didYouMean } from '../did-you-mean.js';
import { isTree, type Tree } from '../tree.js';
import { channelOptionNames, otherChannelOptions } from './channel-options.js';
import { flag, list, number } from './converters.js';

const LIST = 'CENTRIFUGO_CHANNEL_NAMESPACES';
/** The name of the list before Centrifugo 6. */
const OLDER_LIST = 'CENTRIFUGO_NAMESPACES';

const optionNames = [...channelOptionNames.keys(), ...otherChannelOptions];

export interface NamespaceVariables {
  /** The namespaces of the file, changed by the variables. */
  readonly namespaces: readonly unknown[];
  readonly faults: readonly string[];
  /** Messages about unknown options. */
  readonly unknown: readonly string[];
}

export function isNamespaceVariable(variable: string): boolean {
  return variable === OLDER_LIST || variable === LIST || variable.startsWith(`${LIST}_`);
}

/**
 * Reads the namespaces. The list is JSON, or the names of the namespaces, separated by spaces. Then each option has a variable of its
 * own: `CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_PRESENCE`. Such a variable also changes a namespace of the file.
 */
export function readNamespaceVariables(
  variables: Environment,
  inFile: readonly unknown[],
): NamespaceVariables {
  const listed = listOf(variables, inFile);
  if (typeof listed === 'string') return { namespaces: inFile, faults: [listed], unknown: [] };
  const namespaces = listed.map((each) => (isTree(each) ? { ...each } : each));
  const faults: string[] = [];
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(variables)) {
    if (!variable.startsWith(`${LIST}_`) || !text) continue;
    const rest = variable.slice(LIST.length + 1);
    const namespace = ownerOf(rest, namespaces);
    if (namespace === undefined) {
      faults.push(`${variable} is about a namespace that does not exist: add its name to ${LIST}`);
      continue;
    }
    const option = rest.slice(upperCase(namespace.name).length + 1).toLowerCase();
    if (optionNames.includes(option)) namespace[option] = channelOptionValue(option, text);
    else unknown.push(`${variable} is unknown and was ignored${didYouMean(option, optionNames)}`);
  }
  return { namespaces, faults, unknown };
}

/** Returns the namespaces, or a fault. */
function listOf(variables: Environment, inFile: readonly unknown[]): readonly unknown[] | string {
  const variable = variables[LIST] ? LIST : OLDER_LIST;
  const text = variables[variable]?.trim();
  if (!text) return inFile;
  if (/^[[{"]/.test(text)) {
    const value = parsed(text);
    return Array.isArray(value)
      ? (value as unknown[])
      : `${variable} is not a JSON list of namespaces, such as [{"name": "chat"}], or a list of names, such as chat news`;
  }
  return text
    .split(/[\s,]+/)
    .map((name) => inFile.find((each) => isTree(each) && each.name === name) ?? { name });
}

/** Returns the namespace with the longest name that the variable begins with. */
function ownerOf(rest: string, namespaces: readonly unknown[]): Tree | undefined {
  return namespaces
    .filter(isTree)
    .filter(({ name }) => rest.startsWith(`${upperCase(name)}_`))
    .toSorted((a, b) => String(b.name).length - String(a.name).length)[0];
}

function upperCase(name: unknown): string {
  return String(name)
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_');
}

/** Converts the text of a variable to the type that the option has in a file. Text that does not fit is reported by the schema. */
export function channelOptionValue(option: string, text: string): unknown {
  if (option === 'allowed_delta_types') return list(text);
  if (option === 'history_size') return number(text);
  return /_(?:ttl|name|regex|format|mode|type|prefix)$/.test(option) ? text : flag(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
