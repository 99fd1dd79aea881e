import type { ChannelRules } from '../../../../delivery/index.js';
import type { TokenVerifiers } from '../../../auth/tokens/token-verifier.js';
import type { Claims } from '../session/single-connection-policy.js';
import type { SessionHost } from '../session/session.js';
import type { Users } from '../session/users.js';

/** What the handlers of commands work with. */
export interface Shared extends SessionHost {
  readonly rules: ChannelRules;
  readonly verifiers: TokenVerifiers;
  readonly users: Users;
  readonly claims: Claims;
  /** Seconds between two pings. */
  readonly pingSeconds: number;
}
