import type { ChannelRules } from '../../../../delivery/index.js';
import type { AuthorizerChain } from '../../../auth/authorizer-chain.js';
import type { EmulatedHeaders } from './emulated-headers.js';
import type { SingleConnectionPolicy } from '../session/single-connection-policy.js';
import type { SessionHost } from '../session/session.js';
import type { Users } from '../session/users.js';

/** The dependencies of the command handlers. */
export interface HandlerDependencies extends SessionHost {
  readonly rules: ChannelRules;
  readonly authorizer: AuthorizerChain;
  /** Whether an authorizer reads the meta of a connection later. */
  readonly keepsMeta: boolean;
  readonly emulatedHeaders: EmulatedHeaders;
  readonly users: Users;
  readonly singleConnection: SingleConnectionPolicy;
  /** Seconds between two pings of the server. */
  readonly pingSeconds: number;
}
