import { Authorizer, refused, type RefreshDecision, type SubRefreshDecision } from '../gateway/index.js';

/**
 * Decides last about the expiry of connections and subscriptions of a Centrifugo: nothing here knows of a new time, so they end, and
 * the client comes back with a new token.
 */
export class ExpiryAuthorizer extends Authorizer {
  override refresh(): RefreshDecision {
    return expired;
  }

  override subRefresh(): SubRefreshDecision {
    return expired;
  }
}

const expired = refused('expired');
