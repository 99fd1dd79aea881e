import { RepeatedParameterError, UnknownParameterError } from '../http.errors.js';

/** What Fastify makes of a query string: a value is an array where its name came more than once. */
export type Query = Readonly<Record<string, unknown>>;

/**
 * The query's values by name, each known and given once.
 * @throws UnknownParameterError, RepeatedParameterError
 */
export function parametersOf<Name extends string>(
  query: Query,
  known: readonly Name[],
): ReadonlyMap<Name, string> {
  const parameters = new Map<Name, string>();
  for (const [name, value] of Object.entries(query)) {
    if (!isOneOf(known, name))
      throw new UnknownParameterError(`there is no parameter ${name} here; ${choice(known)}`);
    if (typeof value !== 'string') throw new RepeatedParameterError(`${name} was given more than once`);
    parameters.set(name, value);
  }
  return parameters;
}

function choice(known: readonly string[]): string {
  return known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
}

function isOneOf<Name extends string>(known: readonly Name[], name: string): name is Name {
  return (known as readonly string[]).includes(name);
}
