import { channelOptionNames, otherChannelOptions } from './channel-options.js';
import { didYouMean } from '../did-you-mean.js';
import type { Environment } from '../variables.js';
import { flag, number } from './converters.js';
import { redisOptions } from './engine.js';
import { channelOptionValue, isNamespaceVariable } from './namespace-variables.js';
import { counterparts, olderVariables } from './options.js';
import { proxyOptionNames } from './proxies.js';
import { ignored, unsupported } from './unsupported.js';

const PREFIX = 'CENTRIFUGO_';
const WITHOUT_NAMESPACE = 'channel.without_namespace';
const DEFAULT_FORMAT = 'channel.publication_data_format';

const engineOptions = redisOptions.map((name) => `engine.redis.${name}`);

/** The options that variables may set, by the names of the variables. */
const pathByVariable = new Map(
  [
    ...counterparts.keys(),
    ...unsupported.keys(),
    ...ignored,
    ...proxyOptionNames,
    'engine.type',
    ...engineOptions,
    DEFAULT_FORMAT,
    ...[...channelOptionNames.keys(), ...otherChannelOptions].map((name) => `${WITHOUT_NAMESPACE}.${name}`),
  ].map((path) => [variableOf(path), path]),
);

const knownVariables = [...pathByVariable.keys(), ...olderVariables.keys()];

/** The value of one option of Centrifugo, from a variable. */
export interface VariableValue {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly variable: string;
}

/** Reads the variables of Centrifugo. If an option has two names, the one of version 6 wins. */
export function readCentrifugoVariables(variables: Environment): {
  readonly values: readonly VariableValue[];
  /** Messages about unknown variables. */
  readonly unknown: readonly string[];
} {
  const values: VariableValue[] = [];
  const unknown: string[] = [];
  const given = Object.entries(variables).filter(
    ([name, text]) => name.startsWith(PREFIX) && text && !isNamespaceVariable(name),
  );
  const rank = ([name]: readonly [string, unknown]): number => (olderVariables.has(name) ? 0 : 1);
  for (const [variable, text = ''] of given.toSorted((a, b) => rank(a) - rank(b))) {
    const path = pathOf(variable);
    if (path === undefined)
      unknown.push(`${variable} is unknown and was ignored${didYouMean(variable, knownVariables)}`);
    else values.push({ path: path.split('.'), value: valueOf(path, text), variable });
  }
  return { values, unknown };
}

/** Returns `CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY` for `client.token.hmac_secret_key`. */
export function variableOf(path: string): string {
  return PREFIX + path.toUpperCase().replaceAll(/[.-]/g, '_');
}

function pathOf(variable: string): string | undefined {
  const path = olderVariables.get(variable) ?? pathByVariable.get(variable);
  if (path !== undefined) return path;
  // For a section that is not supported, it is enough to know that something in it is set.
  for (const known of [...unsupported.keys(), ...ignored]) {
    const beginning = `${variableOf(known)}_`;
    if (variable.startsWith(beginning)) return `${known}.${variable.slice(beginning.length).toLowerCase()}`;
  }
  return undefined;
}

/** Returns text, converted to the type in a file if no converter follows. */
function valueOf(path: string, text: string): unknown {
  if (path === 'engine.redis.db') return number(text);
  if (path.startsWith('engine.redis.') && path.endsWith('.enabled')) return flag(text);
  if (!path.startsWith(WITHOUT_NAMESPACE)) return text;
  return channelOptionValue(path.slice(WITHOUT_NAMESPACE.length + 1), text);
}
