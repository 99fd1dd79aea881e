import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import {
  clientIdentity,
  identityChannel,
  networkOf,
  trustedProxies,
  type IdentifiedRequest,
  type TrustedProxies,
} from '../delivery/index.js';
import { KeyedRateLimit } from '../limits/index.js';
import { ApiKeys } from './api-keys.js';
import { ApiKeyNotConfiguredError, RateLimitedError, UnauthorizedError } from '../trigger/trigger.errors.js';
import { TRIGGER_OPTIONS, type TriggerModuleOptions } from '../trigger/trigger.module-definition.js';

/** Who sent a request. */
export interface Caller {
  /** The channel of the clients with the same User-Agent and address. */
  readonly channel: string;
  /** Tells callers apart where one must not see what another did: the API key, or the identity. */
  readonly scope: string;
  /** Showed an API key. */
  readonly hasApiKey: boolean;
}

@Injectable()
export class Callers {
  readonly #apiKeys: ApiKeys;
  readonly #limiter: KeyedRateLimit;
  readonly #trusted: TrustedProxies;

  constructor(@Inject(TRIGGER_OPTIONS) options: TriggerModuleOptions) {
    this.#apiKeys = new ApiKeys(options.apiKeys);
    this.#limiter = new KeyedRateLimit(options.rateLimit);
    this.#trusted = trustedProxies(options.trustedProxies);
  }

  /**
   * Finds out who calls. A key is not needed for that, but a wrong one is refused; where none is configured, whatever
   * was presented is taken as meant for somebody else.
   * @throws RateLimitedError, UnauthorizedError
   */
  admit(request: IdentifiedRequest): Caller {
    const { userAgent, address } = clientIdentity(request, this.#trusted);
    const presented = this.#apiKeys.isEmpty ? undefined : presentedKey(request.headers);
    const keyName = presented === undefined ? undefined : this.#apiKeys.match(presented);
    // The address and not the identity, since a User-Agent is cheap; wrong keys count, so guessing is slow.
    const waitMs = keyName === undefined ? this.#limiter.take(networkOf(address)) : 0;
    if (waitMs > 0) throw new RateLimitedError(waitMs);
    if (presented !== undefined && keyName === undefined) throw unauthorized();
    const channel = identityChannel(userAgent, address);
    return { channel, scope: keyName ?? channel, hasApiKey: keyName !== undefined };
  }

  /**
   * Whether a key opens what nobody may enter without one.
   * @throws RateLimitedError when the address has shown none or a wrong one too often
   */
  opens(key: string | undefined, request: IdentifiedRequest): boolean {
    if (key !== undefined && this.#apiKeys.match(key) !== undefined) return true;
    const waitMs = this.#limiter.take(networkOf(clientIdentity(request, this.#trusted).address));
    if (waitMs > 0) throw new RateLimitedError(waitMs);
    return false;
  }

  /** @throws ApiKeyNotConfiguredError, UnauthorizedError */
  requireApiKey(caller: Caller): void {
    if (this.#apiKeys.isEmpty)
      throw new ApiKeyNotConfiguredError(
        'reaching others needs an API key, and none is configured: set CARILLON_API_KEY (trigger.apiKeys)',
      );
    if (!caller.hasApiKey) throw unauthorized();
  }
}

function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const header = headers['x-api-key'];
  if (typeof header === 'string') return header;
  // Another scheme is not ours: a proxy in front may ask for Basic.
  return /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** One message for a missing key and a wrong one. */
function unauthorized(): UnauthorizedError {
  return new UnauthorizedError(
    'an API key is needed: send "Authorization: Bearer <key>" or "X-API-Key: <key>"',
  );
}
