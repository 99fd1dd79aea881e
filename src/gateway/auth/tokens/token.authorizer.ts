import type { ConnectAttempt, RefreshAttempt, SubRefreshAttempt, SubscribeAttempt } from '../attempts.js';
import type { Authorizer } from '../authorizer.port.js';
import {
  abstained,
  refused,
  type Awaitable,
  type ConnectDecision,
  type RefreshDecision,
  type RefusalCause,
  type SubRefreshDecision,
  type SubscribeDecision,
} from '../decisions.js';
import type { Outcome, Refusal } from './signature.js';
import {
  createVerifiers,
  type ConnectionToken,
  type SubscriptionToken,
  type TokenVerifiers,
} from './token-verifier.js';
import type { TokensOptions } from './tokens.options.js';

export interface TokenAuthorizerOptions {
  readonly tokens: TokensOptions;
  /** Refuse connection tokens without a user id. */
  readonly disallowAnonymousConnectionTokens: boolean;
}

/**
 * Decides about every attempt with a token, and abstains without one. A token that is signed with a secret is verified without a
 * promise.
 */
export class TokenAuthorizer implements Authorizer {
  readonly #verifiers: TokenVerifiers;
  readonly #allowsAnonymous: boolean;

  constructor({ tokens, disallowAnonymousConnectionTokens }: TokenAuthorizerOptions) {
    this.#verifiers = createVerifiers(tokens);
    this.#allowsAnonymous = !disallowAnonymousConnectionTokens;
  }

  connect({ token }: ConnectAttempt): Awaitable<ConnectDecision> {
    if (token === '') return abstained;
    return whenVerified(this.#verifiers.connection.verifyConnection(token), (verified) =>
      this.#connectDecision(verified),
    );
  }

  refresh({ token, user }: RefreshAttempt): Awaitable<RefreshDecision> {
    if (token === '') return abstained;
    if (token === '') return abstained;
    return whenVerified(this.#verifiers.connection.verifyConnection(token), (verified) =>
      refreshDecision(verified, user),
    );
  }

  subscribe(attempt: SubscribeAttempt): Awaitable<SubscribeDecision> {
    if (attempt.token === '') return abstained;
    return whenVerified(this.#verifiers.subscription.verifySubscription(attempt.token), (verified) =>
      // The client may retry with another token, or without one.
      subscriptionDecision(verified, attempt, 'permissionDenied'),
    );
  }

  subRefresh(attempt: SubRefreshAttempt): Awaitable<SubRefreshDecision> {
    if (attempt.token === '') return abstained;
    if (attempt.token === '') return abstained;
    return whenVerified(this.#verifiers.subscription.verifySubscription(attempt.token), (verified) =>
      subscriptionDecision(verified, attempt, 'invalidToken'),
    );
  }

  #connectDecision(verified: Outcome<ConnectionToken>): ConnectDecision {
    if (!verified.ok) return refusalOf(verified);
    const { user, expireAt, info, meta, subs } = verified.value;
    if (user === '' && !this.#allowsAnonymous) return refused('permissionDenied', 'a token without a user');
    return { outcome: 'allowed', user, expireAt, info, meta, channels: subs };
  }
}

function refreshDecision(verified: Outcome<ConnectionToken>, user: string): RefreshDecision {
  if (!verified.ok) return refusalOf(verified);
  const { value: token } = verified;
  if (token.user !== user) return refused('invalidToken', 'a token of another user');
  return { outcome: 'allowed', expireAt: token.expireAt, info: token.info, channels: token.subs };
}

function subscriptionDecision(
  verified: Outcome<SubscriptionToken>,
  attempt: SubscribeAttempt | SubRefreshAttempt,
  causeOfInvalid: RefusalCause,
): SubscribeDecision {
  if (!verified.ok) return refusalOf(verified, causeOfInvalid);
  const { value: token } = verified;
  if (!isFor(token, attempt)) return refused('invalidToken', 'a token of another user, client or channel');
  const { expireAt, info, data, override } = token;
  return { outcome: 'allowed', expireAt, info, data, override };
}

function isFor(token: SubscriptionToken, { user, channel, client }: SubscribeAttempt | SubRefreshAttempt) {
  return (
    token.user === user &&
    token.channel === channel &&
    (token.client === '' || token.client === client.connectionId)
  );
}

function refusalOf({ reason, detail }: Refusal, causeOfInvalid: RefusalCause = 'invalidToken') {
  const causes = { expired: 'tokenExpired', invalid: causeOfInvalid, unavailable: 'unavailable' } as const;
  return refused(causes[reason], detail);
}

function whenVerified<Token, Decision>(
  outcome: Outcome<Token> | Promise<Outcome<Token>>,
  decide: (outcome: Outcome<Token>) => Decision,
): Awaitable<Decision> {
  return 'ok' in outcome ? decide(outcome) : outcome.then(decide);
}
