import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { KeyedRateLimit } from '../../limits/index.js';
import { ApiKeys } from './api-keys.js';
import {
  clientAddress,
  clientIdentity,
  networkOf,
  trustedProxies,
  type ClientIdentity,
  type IdentifiedRequest,
  type TrustedProxies,
} from './client-identity.js';
import { UntrustedProxies } from './untrusted-proxies.js';
import { ApiKeyNotConfiguredError, RateLimitedError, UnauthorizedError } from '../http.errors.js';
import { HTTP_OPTIONS } from '../http.module-definition.js';
import type { HttpModuleOptions } from '../http.options.js';

const NO_LIMIT = { perSecond: 0, burst: 1 };

/** The sender of a request. */
export interface Caller {
  readonly identity: ClientIdentity;
  /** Whether the identity may be that of several clients, behind a proxy that is not trusted. */
  readonly isHidden: boolean;
  /** Names the API key that the caller presented, and is safe to store. Undefined: no key. */
  readonly apiKeyName: string | undefined;
}

/** Identifies callers by their API key, address and User-Agent, and limits the rate of those without a key. */
@Injectable()
export class Callers {
  readonly #apiKeys: ApiKeys;
  readonly #operatorKeys: ApiKeys;
  readonly #limiter: KeyedRateLimit;
  readonly #costly: { readonly open: KeyedRateLimit; readonly keyed: KeyedRateLimit };
  readonly #trusted: TrustedProxies;
  readonly #untrustedProxies: UntrustedProxies;

  constructor(@Inject(HTTP_OPTIONS) options: HttpModuleOptions) {
    this.#apiKeys = new ApiKeys(options.apiKeys);
    this.#operatorKeys = new ApiKeys([...options.apiKeys, ...(options.metricsKeys ?? [])]);
    this.#limiter = new KeyedRateLimit(options.rateLimit);
    const { costlyRequests = NO_LIMIT, costlyRequestsWithApiKey = NO_LIMIT } = options;
    this.#costly = {
      open: new KeyedRateLimit(costlyRequests),
      keyed: new KeyedRateLimit(costlyRequestsWithApiKey),
    };
    this.#trusted = trustedProxies(options.trustedProxies);
    this.#untrustedProxies = new UntrustedProxies(
      this.#trusted,
      options.allowUntrustedProxies ?? false,
      new Logger('Http'),
    );
  }

  /**
   * Identifies the caller. A key is optional here, but a wrong one is refused. Where no key is configured, credentials are
   * ignored, because they are meant for another program, such as a proxy in front.
   * @throws RateLimitedError, UnauthorizedError
   */
  admit(request: IdentifiedRequest): Caller {
    const identity = clientIdentity(request, this.#trusted);
    const presented = this.#apiKeys.isEmpty ? undefined : presentedKey(request.headers);
    const apiKeyName = presented === undefined ? undefined : this.#apiKeys.match(presented);
    // By address and not by identity, because a User-Agent is cheap to change. Wrong keys count, so guessing is slow.
    if (apiKeyName === undefined) this.#takeFromLimit(request);
    if (presented !== undefined && apiKeyName === undefined) throw unauthorized();
    return { identity, apiKeyName, isHidden: this.#untrustedProxies.hideSender(request) };
  }

  /**
   * Returns whether the key is valid, for routes that need one.
   * @throws RateLimitedError when the address has sent too many requests with no key or a wrong one
   */
  hasValidKey(key: string | undefined, request: IdentifiedRequest): boolean {
    if (key !== undefined && this.#apiKeys.match(key) !== undefined) return true;
    this.#takeFromLimit(request);
    return false;
  }

  /**
   * Counts a request whose response is expensive to make. Such requests are limited with an API key as well, at a higher rate.
   * @throws RateLimitedError
   */
  admitCostly(request: IdentifiedRequest, key = presentedKey(request.headers)): void {
    const isKeyed = key !== undefined && this.#operatorKeys.match(key) !== undefined;
    const limit = isKeyed ? this.#costly.keyed : this.#costly.open;
    const waitMs = limit.take(networkOf(clientAddress(request, this.#trusted)));
    if (waitMs === 0) return;
    const setting = `server.http.limits.${isKeyed ? 'costlyRequestsWithApiKey' : 'costlyRequests'}`;
    this.#untrustedProxies.onLimited(request, setting);
    throw new RateLimitedError(waitMs, 'requests whose responses are expensive');
  }

  /**
   * Requires a key for routes that are for operators: one of theirs, or an API key.
   * @throws RateLimitedError, UnauthorizedError
   */
  requireOperatorKey(request: IdentifiedRequest): void {
    const key = presentedKey(request.headers);
    if (key !== undefined && this.#operatorKeys.match(key) !== undefined) return;
    this.#takeFromLimit(request);
    throw new UnauthorizedError(
      'this path needs a key of server.http.metricsKeys or an API key: send "Authorization: Bearer <key>" or ' +
        '"X-API-Key: <key>". Without a key it is served on a loopback address, or on the port of server.http.internal.port',
    );
  }

  /** @throws ApiKeyNotConfiguredError, UnauthorizedError */
  requireApiKey(caller: Caller): void {
    if (this.#apiKeys.isEmpty)
      throw new ApiKeyNotConfiguredError(
        'this request needs an API key, and the server has none: set CARILLON_API_KEY (trigger.apiKeys)',
      );
    if (caller.apiKeyName === undefined) throw unauthorized();
  }

  #takeFromLimit(request: IdentifiedRequest): void {
    const waitMs = this.#limiter.take(networkOf(clientAddress(request, this.#trusted)));
    if (waitMs === 0) return;
    this.#untrustedProxies.onLimited(request, 'trigger.rateLimit');
    throw new RateLimitedError(waitMs);
  }
}

/** Returns the API key in the headers of a request. An empty `X-API-Key` counts as absent. */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const header = headers['x-api-key'];
  if (typeof header === 'string' && header !== '') return header;
  // Other schemes are not for us: a proxy in front may use Basic.
  return /^(?:Bearer|apikey) +(.+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** One message for a missing key and a wrong one. */
function unauthorized(): UnauthorizedError {
  return new UnauthorizedError(
    'a valid API key is required: send "Authorization: Bearer <key>" or "X-API-Key: <key>"',
  );
}
