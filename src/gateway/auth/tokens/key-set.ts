import {
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { Logger } from '@nestjs/common';
import { CarillonError } from '../../../errors.js';
import type { JwksOptions } from './tokens.options.js';

/** The endpoint gave no key set, and there is none from before that may still serve. */
export class JwksUnavailableError extends CarillonError {
  readonly code = 'jwks_unavailable';
  override readonly retryable = true;
}

const logger = new Logger('KeySet');

type Find = ReturnType<typeof createLocalJWKSet>;

/** How soon a fetch that failed may be tried again, where the cool-down is not shorter. */
const RETRY_MS = 1_000;

/**
 * The public keys of a JWKS endpoint (RFC 7517). They are fetched when first needed, again when they are old, and once more
 * when a token names a key that is not among them: the issuer may have rotated its keys. Fetches are never closer together
 * than the cool-down, and one serves all who wait. A token that comes too early for one is not refused for good.
 *
 * Old keys serve while the new ones are under way. Where the endpoint does not answer they go on serving for a bounded time, so
 * that its outage is not ours.
 */
export class KeySet {
  #keys: Find | undefined;
  #fetchedAt = -Infinity;
  /** How many have brought keys. */
  #fetches = 0;
  #nextFetchAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(
    private readonly options: JwksOptions,
    private readonly now: () => number,
  ) {}

  /** The key for a token, in the form that jose asks for it. */
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
      // It is too early to ask, or nobody answers: whoever has a new key is to come back.
      if (this.#fetches === fetches) throw new JwksUnavailableError('a key that is not known yet');
      return this.#keys!(header, token);
    }
  };

  #usable(): Find | undefined {
    const { cacheMs, maxStaleMs } = this.options;
    return this.now() < this.#fetchedAt + cacheMs + maxStaleMs ? this.#keys : undefined;
  }

  /** Resolves when a fetch has ended, well or not; at once where it is too early for one. Never rejects. */
  #refresh(): Promise<void> | undefined {
    if (this.#fetching === undefined && this.now() >= this.#nextFetchAt)
      this.#fetching = this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { endpoint, timeoutMs, maxBytes, cooldownMs } = this.options;
    try {
      const response = await fetch(endpoint, {
        headers: { accept: 'application/jwk-set+json, application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.status !== 200) throw new JwksUnavailableError(`status ${response.status}`);
      const body = await bounded(response, maxBytes);
      this.#keys = createLocalJWKSet(JSON.parse(body.toString()) as JSONWebKeySet);
      this.#fetchedAt = this.now();
      this.#fetches++;
      this.#nextFetchAt = this.now() + cooldownMs;
    } catch (error) {
      this.#nextFetchAt = this.now() + Math.min(cooldownMs, RETRY_MS);
      logger.warn(`the key set was not fetched from ${new URL(endpoint).host}: ${String(error)}`);
    }
  }
}

/** Whether the key of a token may have come to the set since. */
function mayBeNew({ kid }: JWSHeaderParameters, known: Find): boolean {
  return kid !== undefined && !known.jwks().keys.some((key) => key.kid === kid);
}

async function bounded(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new JwksUnavailableError(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
