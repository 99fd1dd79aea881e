import type { Authorizer } from '../../auth/authorizer.port.js';
import type { ConnectDecision } from '../../auth/decisions.js';

/** Allows every client: without an authorizer of the application, the raw socket has no login. */
export class RawAuthorizer implements Authorizer {
  connect(): ConnectDecision {
    return allowed;
  }
}

const allowed = { outcome: 'allowed' } as const;
