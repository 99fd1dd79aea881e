import { connectionChannel, isReserved, userChannel } from '../../delivery/index.js';
import { ConflictingParametersError } from '../../http/index.js';
import { InvalidTargetError } from '../trigger.errors.js';

export const TARGET_PARAMETERS = ['channel', 'user', 'connection'] as const;
export type TargetParameter = (typeof TARGET_PARAMETERS)[number];

const MAX_NAME_LENGTH = 255;
const CONNECTION_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
/** Control characters, surrogates, and the character that replaces invalid UTF-8 in a query string. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\uFFFD]/u;

/**
 * Returns the channel that `channel`, `user` or `connection` names, or undefined if none of them is present.
 * @throws ConflictingParametersError, InvalidTargetError
 */
export function targetChannel(parameters: ReadonlyMap<string, string>): string | undefined {
  const given = TARGET_PARAMETERS.filter((name) => parameters.has(name));
  const [kind] = given;
  if (kind === undefined) return undefined;
  if (given.length > 1)
    throw new ConflictingParametersError(
      `${given.join(' and ')} exclude each other: only one target is accepted`,
    );
  return channelOf(kind, parameters.get(kind) ?? '');
}

function channelOf(kind: TargetParameter, name: string): string {
  if (name === '' || name.length > MAX_NAME_LENGTH || UNPRINTABLE.test(name))
    throw new InvalidTargetError(`${kind} must be 1 to ${MAX_NAME_LENGTH} printable characters`);
  switch (kind) {
    case 'channel':
      if (isReserved(name))
        throw new InvalidTargetError('channel must not begin with ~: such names are reserved');
      return name;
    case 'user':
      return userChannel(name);
    case 'connection':
      if (!CONNECTION_ID.test(name))
        throw new InvalidTargetError('connection must be the id of a connection');
      return connectionChannel(name);
  }
}
