import { MalformedJsonError } from '../../../json/index.js';
import { regex, type TextTest } from '../../../patterns/index.js';
import type { SubscriptionGrant } from '../decisions.js';
import { Claims, noGrant } from './claims.js';
import { refused, Signature, type Outcome } from './signature.js';
import type { TokenOptions, TokensOptions } from './tokens.options.js';

/** The content of a connection token. */
export interface ConnectionToken {
  /** Empty for an anonymous client. */
  readonly user: string;
  /** Unix time in seconds at which the connection expires; undefined for never. It may have passed. */
  readonly expireAt: number | undefined;
  /** Others see it with joins, leaves, presence and publications. */
  readonly info: Buffer | undefined;
  /** JSON that stays on the server. */
  readonly meta: Buffer | undefined;
  /** The server-side subscriptions by channel. */
  readonly subs: ReadonlyMap<string, SubscriptionGrant>;
}

/** The content of a subscription token. The caller checks whether it is for this user, client and channel. */
export interface SubscriptionToken extends SubscriptionGrant {
  readonly user: string;
  readonly channel: string;
  /** The connection id that it is for; empty for all connections of the user. */
  readonly client: string;
  readonly expireAt: number | undefined;
}

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Verifies tokens and reads their claims. Returns the outcome for HMAC, and a promise of it for other algorithms. Never throws.
 *
 * It checks the signature first, then the form, the times, the audience and the issuer. A token with several faults is refused for
 * the first of them.
 */
export class TokenVerifier {
  readonly #signature: Signature;
  readonly #audience: TextTest | undefined;
  readonly #issuer: TextTest | undefined;
  readonly #userClaim: string;

  /** @param now Unix time in ms */
  constructor(
    options: TokenOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.#signature = new Signature(options, now);
    this.#audience = accepts(options.audience, options.audienceRegex);
    this.#issuer = accepts(options.issuer, options.issuerRegex);
    this.#userClaim = options.userIdClaim;
  }

  verifyConnection(token: string): Outcome<ConnectionToken> | Promise<Outcome<ConnectionToken>> {
    return this.#verify(token, this.#readConnection);
  }

  verifySubscription(token: string): Outcome<SubscriptionToken> | Promise<Outcome<SubscriptionToken>> {
    return this.#verify(token, this.#readSubscription);
  }

  #verify<T>(token: string, read: (claims: Claims) => Outcome<T>): Outcome<T> | Promise<Outcome<T>> {
    const signed = this.#signature.verify(token);
    return signed instanceof Promise
      ? signed.then((each) => this.#read(each, read))
      : this.#read(signed, read);
  }

  #read<T>(signed: Outcome<Buffer>, read: (claims: Claims) => Outcome<T>): Outcome<T> {
    if (!signed.ok) return signed;
    try {
      const claims = new Claims(signed.value);
      const outcome = read(claims);
      if (!outcome.ok) return outcome;
      return this.#timeFault(claims) ?? this.#partyFault(claims) ?? outcome;
    } catch (error) {
      if (error instanceof MalformedJsonError) return refused('invalid', error.message);
      throw error;
    }
  }

  readonly #readConnection = (claims: Claims): Outcome<ConnectionToken> => {
    // Otherwise a client could connect with a subscription token.
    if ((claims.text('channel') ?? '') !== '') return refused('invalid', 'it has a channel claim');
    const value = {
      user: this.#user(claims),
      expireAt: this.#expireAt(claims),
      info: claims.payload('info'),
      meta: claims.raw('meta'),
      subs: subsOf(claims),
    };
    return { ok: true, value };
  };

  readonly #readSubscription = (claims: Claims): Outcome<SubscriptionToken> => {
    const channel = claims.text('channel') ?? '';
    if (channel === '') return refused('invalid', 'it has no channel claim');
    const value = {
      user: this.#user(claims),
      channel,
      client: claims.text('client') ?? '',
      expireAt: this.#expireAt(claims),
      ...claims.grant(),
    };
    return { ok: true, value };
  };

  #user(claims: Claims): string {
    return this.#userClaim === 'sub' ? (claims.text('sub') ?? '') : (claims.id(this.#userClaim) ?? '');
  }

  #expireAt(claims: Claims): number | undefined {
    const expireAt = claims.seconds('expire_at') ?? claims.date('exp') ?? 0;
    return expireAt > 0
      ? Math.min(Math.floor(expireAt), Math.floor(this.now() / 1000) + YEAR_SECONDS)
      : undefined;
  }

  #timeFault(claims: Claims): Outcome<never> | undefined {
    const expires = claims.date('exp');
    if (expires !== undefined && expires * 1000 <= this.now()) return refused('expired', 'exp has passed');
    const begins = claims.date('nbf');
    return begins !== undefined && begins * 1000 > this.now()
      ? refused('expired', 'nbf is in the future')
      : undefined;
  }

  #partyFault(claims: Claims): Outcome<never> | undefined {
    if (this.#audience && !claims.textOrTexts('aud').some(this.#audience))
      return refused('invalid', 'wrong audience');
    if (this.#issuer && !this.#issuer(claims.text('iss') ?? '')) return refused('invalid', 'wrong issuer');
    return undefined;
  }
}

export interface TokenVerifiers {
  readonly connection: TokenVerifier;
  readonly subscription: TokenVerifier;
}

/** Both kinds of token share one verifier, and its keys, unless subscription tokens have options of their own. */
export function createVerifiers(options: TokensOptions): TokenVerifiers {
  const connection = new TokenVerifier(options.connection);
  const subscription =
    options.subscription === undefined ? connection : new TokenVerifier(options.subscription);
  return { connection, subscription };
}

/** Reads `subs`, or `channels` if `subs` is empty. Leaves out the empty name. */
function subsOf(claims: Claims): ReadonlyMap<string, SubscriptionGrant> {
  const subs = claims.grants('subs');
  const listed = new Map(subs?.size ? subs : claims.texts('channels').map((channel) => [channel, noGrant]));
  listed.delete('');
  return listed;
}

function accepts(exact: string | undefined, pattern: string | undefined): TextTest | undefined {
  if (exact !== undefined) return (value) => value === exact;
  return pattern === undefined ? undefined : regex(pattern);
}
