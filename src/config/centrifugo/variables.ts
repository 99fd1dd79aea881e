import { channelOptionNames } from './channel-options.js';
import { didYouMean } from '../did-you-mean.js';
import type { Environment } from '../variables.js';
import { flag, json, list, number } from './converters.js';
import { redisOptions } from './engine.js';
import { counterparts, olderVariables } from './options.js';
import { immaterial, unsupported } from './unsupported.js';

const PREFIX = 'CENTRIFUGO_';
const WITHOUT_NAMESPACE = 'channel.without_namespace';
const NAMESPACES = 'channel.namespaces';
const FORMAT_OF_ALL = 'channel.publication_data_format';

const engineOptions = redisOptions.map((name) => `engine.redis.${name}`);

/** The options that a variable may set, by the name of the variable. */
const pathByVariable = new Map(
  [
    ...counterparts.keys(),
    ...unsupported.keys(),
    ...immaterial,
    'engine.type',
    ...engineOptions,
    NAMESPACES,
    FORMAT_OF_ALL,
    ...[...channelOptionNames.keys()].map((name) => `${WITHOUT_NAMESPACE}.${name}`),
  ].map((path) => [variableOf(path), path]),
);

const knownVariables = [...pathByVariable.keys(), ...olderVariables.keys()];

/** One value that a variable gives to an option of Centrifugo. */
export interface VariableValue {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly variable: string;
}

/** Reads the variables whose names follow Centrifugo's scheme. Of one option's two names the one of version 6 wins. */
export function readCentrifugoVariables(variables: Environment): {
  readonly values: readonly VariableValue[];
  /** With a guess at what was meant. */
  readonly unknown: readonly string[];
} {
  const values: VariableValue[] = [];
  const unknown: string[] = [];
  const given = Object.entries(variables).filter(([name, text]) => name.startsWith(PREFIX) && text);
  const rank = ([name]: readonly [string, unknown]): number => (olderVariables.has(name) ? 0 : 1);
  for (const [variable, text = ''] of given.toSorted((a, b) => rank(a) - rank(b))) {
    const path = pathOf(variable);
    if (path === undefined)
      unknown.push(`${variable} is unknown and was ignored${didYouMean(variable, knownVariables)}`);
    else values.push({ path: path.split('.'), value: valueOf(path, text), variable });
  }
  return { values, unknown };
}

/** `CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY` for `client.token.hmac_secret_key`. */
export function variableOf(path: string): string {
  return PREFIX + path.toUpperCase().replaceAll(/[.-]/g, '_');
}

function pathOf(variable: string): string | undefined {
  const path = olderVariables.get(variable) ?? pathByVariable.get(variable);
  if (path !== undefined) return path;
  // Of what is not supported it is enough to know that something in it was asked for.
  for (const known of [...unsupported.keys(), ...immaterial]) {
    const beginning = `${variableOf(known)}_`;
    if (variable.startsWith(beginning)) return `${known}.${variable.slice(beginning.length).toLowerCase()}`;
  }
  return undefined;
}

/** Text, but in the types of a file where no converter comes after. */
function valueOf(path: string, text: string): unknown {
  if (path === NAMESPACES) return json(text);
  if (path === 'engine.redis.db') return number(text);
  if (path.startsWith('engine.redis.') && path.endsWith('.enabled')) return flag(text);
  if (!path.startsWith(WITHOUT_NAMESPACE)) return text;
  if (path.endsWith('allowed_delta_types')) return list(text);
  return path.endsWith('_ttl') || path.endsWith('_name') ? text : number(flag(text));
}
