import type { ClientContext } from '../../../auth/attempts.js';
import type { Session } from '../session/session.js';

/** What all attempts of a connected client have in common. */
export function attemptOf({ context, user, meta }: Session): {
  readonly client: ClientContext;
  readonly user: string;
  readonly meta: Buffer | undefined;
} {
  return { client: context, user, meta };
}
