import { createHmac } from 'node:crypto';
import { decodeJwt } from 'jose';
import { createVerifiers } from './token-verifier.js';
import type { TokensOptions } from './tokens.options.js';

export interface TokenRequest {
  /** Empty for an anonymous client. */
  readonly user: string;
  /** Makes a subscription token for this channel; without it a connection token is made. */
  readonly channel?: string | undefined;
  /** How long it is valid, in seconds; absent for unlimited. */
  readonly ttlSeconds?: number | undefined;
}

/** Returns a token signed with HS256, for trying things out, or undefined if the options have no HMAC secret. */
export function generateToken(options: TokensOptions, request: TokenRequest): string | undefined {
  const { user, channel, ttlSeconds } = request;
  const { hmacSecretKey: secret, userIdClaim } = optionsFor(options, channel);
  if (secret === undefined) return undefined;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    [userIdClaim]: user,
    ...(channel !== undefined && { channel }),
    iat: now,
    ...(ttlSeconds !== undefined && { exp: now + ttlSeconds }),
  };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export interface TokenReport {
  readonly kind: 'connection' | 'subscription';
  /** The claims of the token, valid or not; undefined if it is not a JWT. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  /** Why it is refused; undefined if it is valid. */
  readonly fault: string | undefined;
}

/** Reports whether the server would accept a token, and its claims. A token with a `channel` claim is a subscription token. */
export async function checkToken(options: TokensOptions, token: string): Promise<TokenReport> {
  const claims = claimsOf(token);
  const names = Object.keys(claims ?? {}).map((name) => name.toLowerCase());
  const kind = names.includes('channel') ? 'subscription' : 'connection';
  const { connection, subscription } = createVerifiers(options);
  const outcome = await (kind === 'connection'
    ? connection.verifyConnection(token)
    : subscription.verifySubscription(token));
  return { kind, claims, fault: outcome.ok ? undefined : `${outcome.reason}: ${outcome.detail}` };
}

function optionsFor(options: TokensOptions, channel: string | undefined): TokensOptions['connection'] {
  return (channel === undefined ? undefined : options.subscription) ?? options.connection;
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}
