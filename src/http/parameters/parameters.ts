import { RepeatedParameterError, UnknownParameterError } from '../http.errors.js';

/** A query string as Fastify parses it: a value is an array if its name occurs more than once. */
export type Query = Readonly<Record<string, unknown>>;

/**
 * Returns the values of the query by name. Every name must be known and occur once.
 * @throws UnknownParameterError, RepeatedParameterError
 */
export function parametersOf<Name extends string>(
  query: Query,
  known: readonly Name[],
): ReadonlyMap<Name, string> {
  const parameters = new Map<Name, string>();
  for (const [name, value] of Object.entries(query)) {
    if (!isOneOf(known, name))
      throw new UnknownParameterError(`unknown parameter ${name}: ${accepted(known)}`);
    if (typeof value !== 'string')
      throw new RepeatedParameterError(`${name} occurs more than once: only one value is accepted`);
    parameters.set(name, value);
  }
  return parameters;
}

function accepted(known: readonly string[]): string {
  return known.length === 0 ? 'this path accepts none' : `this path accepts ${known.join(', ')}`;
}

function isOneOf<Name extends string>(known: readonly Name[], name: string): name is Name {
  return (known as readonly string[]).includes(name);
}
