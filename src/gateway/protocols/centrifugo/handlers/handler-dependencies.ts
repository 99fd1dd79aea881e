import type { ChannelRules } from '../../../../delivery/index.js';
import type { TokenVerifiers } from '../../../auth/tokens/token-verifier.js';
import type { SingleConnectionPolicy } from '../session/single-connection-policy.js';
import type { SessionHost } from '../session/session.js';
import type { Users } from '../session/users.js';

/** What the command handlers use. */
export interface HandlerDependencies extends SessionHost {
  readonly rules: ChannelRules;
  readonly verifiers: TokenVerifiers;
  readonly users: Users;
  readonly singleConnection: SingleConnectionPolicy;
  /** Seconds between two pings. */
  readonly pingSeconds: number;
}
