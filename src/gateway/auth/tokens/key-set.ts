import {
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { Logger } from '@nestjs/common';
import { CarillonError } from '../../../errors.js';
import { redactUrls, splitUserInfo } from '../../../urls/index.js';
import type { JwksOptions } from './tokens.options.js';

/** The key set could not be fetched, and there is no earlier one that may still be used. */
export class JwksUnavailableError extends CarillonError {
  readonly code = 'jwks_unavailable';
  override readonly retryable = true;
}

const logger = new Logger('KeySet');

type Find = ReturnType<typeof createLocalJWKSet>;

/** The pause after a failed fetch, in ms, unless the cool-down is shorter. */
const RETRY_MS = 1_000;

/**
 * The public keys of a JWKS endpoint (RFC 7517). They are fetched when the first token needs them, when they are old, and when a
 * token names an unknown key, because the issuer may have rotated its keys. There is at least the cool-down between two fetches,
 * and all tokens that wait share one fetch. A token with an unknown key that comes during the cool-down may be retried.
 *
 * Old keys are used while new ones are being fetched. If the endpoint is down they are used for a bounded time, so that an outage of
 * the endpoint is not an outage of this server.
 */
export class KeySet {
  #keys: Find | undefined;
  #fetchedAt = -Infinity;
  /** How many fetches have succeeded. */
  #fetches = 0;
  #nextFetchAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(
    private readonly options: JwksOptions,
    private readonly now: () => number,
    /** Whether keys may be fetched although there are none yet. */
    private readonly mayFetchFirst: () => boolean = () => true,
    private readonly warnings: Pick<Logger, 'warn'> = logger,
  ) {}

  /** Whether keys were fetched before. */
  get hasKeys(): boolean {
    return this.#keys !== undefined;
  }

  /** Finds the key for a token. Has the signature that jose expects. */
  readonly find = async (header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<Find> => {
    const fetches = this.#fetches;
    const old = this.now() >= this.#fetchedAt + this.options.cacheMs;
    const fetched = old ? this.#refresh() : undefined;
    if (this.#usable() === undefined) await fetched;
    const keys = this.#usable();
    if (keys === undefined) throw new JwksUnavailableError('the key set could not be fetched');
    try {
      return await keys(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey && this.#fetches === fetches;
      if (!isUnknown || !mayBeNew(header, keys)) throw error;
      await this.#refresh();
      // The cool-down has not passed, or the endpoint is down: the client has to retry.
      if (this.#fetches === fetches) throw new JwksUnavailableError('the key is not known yet');
      return this.#keys!(header, token);
    }
  };

  #usable(): Find | undefined {
    const { cacheMs, maxStaleMs } = this.options;
    return this.now() < this.#fetchedAt + cacheMs + maxStaleMs ? this.#keys : undefined;
  }

  /** Resolves when a fetch has ended, or at once during the cool-down. Never rejects. */
  #refresh(): Promise<void> | undefined {
    if (
      this.#fetching === undefined &&
      this.now() >= this.#nextFetchAt &&
      (this.hasKeys || this.mayFetchFirst())
    )
      this.#fetching = this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { endpoint, timeoutMs, maxBytes, cooldownMs } = this.options;
    try {
      const { url, authorization } = splitUserInfo(endpoint);
      const response = await fetch(url, {
        headers: {
          accept: 'application/jwk-set+json, application/json',
          ...(authorization !== undefined && { authorization }),
        },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.status !== 200)
        throw new JwksUnavailableError(`the response has status ${response.status}`);
      const body = await bounded(response, maxBytes);
      this.#keys = createLocalJWKSet(readKeySet(body));
      this.#fetchedAt = this.now();
      this.#fetches++;
      this.#nextFetchAt = this.now() + cooldownMs;
    } catch (error) {
      this.#nextFetchAt = this.now() + Math.min(cooldownMs, RETRY_MS);
      this.warnings.warn(
        `could not fetch the key set from ${redactUrls(endpoint)}: ${redactUrls(String(error))}`,
      );
    }
  }
}

/** Whether the endpoint may have added the key of the token since the last fetch. */
function mayBeNew({ kid }: JWSHeaderParameters, known: Find): boolean {
  return kid !== undefined && !known.jwks().keys.some((key) => key.kid === kid);
}

/** Leaves out what is not a key, so that the others can be used. Some issuers write a byte-order mark. */
function readKeySet(body: Buffer): JSONWebKeySet {
  const set = JSON.parse(body.toString().replace(/^\uFEFF/, '')) as { readonly keys?: unknown } | null;
  if (!Array.isArray(set?.keys)) throw new JwksUnavailableError('the response has no list of keys');
  return { keys: set.keys.filter((key) => typeof key === 'object' && key !== null && !Array.isArray(key)) };
}

async function bounded(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new JwksUnavailableError(`the response has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
