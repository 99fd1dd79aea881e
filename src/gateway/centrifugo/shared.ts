import type { ChannelRules } from '../../delivery/index.js';
import type { TokenVerifiers } from '../tokens/token-verifier.js';
import type { Claims } from './claims.js';
import type { SessionHost } from './session.js';
import type { Users } from './users.js';

/** What the handlers of commands work with. */
export interface Shared extends SessionHost {
  readonly rules: ChannelRules;
  readonly verifiers: TokenVerifiers;
  readonly users: Users;
  readonly claims: Claims;
  /** Seconds between two pings. */
  readonly pingSeconds: number;
}
