import { Logger } from '@nestjs/common';
import { MalformedJsonError } from '../../../json/index.js';
import { RateLimit, RepeatedWarning } from '../../../limits/index.js';
import { regexGroups, type TextGroups } from '../../../patterns/index.js';
import { Claims } from './claims.js';
import { EndpointTemplate, placeholdersOf } from './endpoint-template.js';
import { JwksUnavailableError, KeySet } from './key-set.js';
import type { JwksOptions, TokenOptions } from './tokens.options.js';

/** Values of claims that are longer are not matched: nothing is known about the sender yet. */
const MAX_CLAIM_LENGTH = 1_024;
const MAX_AUDIENCES = 16;

const warnings = new RepeatedWarning(new Logger('KeySet'));

/** Finds the keys for a token. */
export interface KeySource {
  /**
   * Returns the key set that the token has to be signed with, or why there is none.
   * @throws JwksUnavailableError if too many key sets are being fetched
   */
  keysFor(payload: Buffer): KeySet | string;
}

export function keySource(options: TokenOptions, now: () => number): KeySource | undefined {
  if (options.jwks === undefined) return undefined;
  if (placeholdersOf(options.jwks.endpoint).length > 0) return new KeySets(options, options.jwks, now);
  const keys = new KeySet(options.jwks, now);
  return { keysFor: () => keys };
}

/**
 * One key set per address, where the address has placeholders for the named groups of the issuer or audience. The claims are read
 * before the signature is verified, so whoever sends a token chooses the address, within the configured expressions. Therefore:
 *
 * - A token is verified only with the keys of its own address, even if another set has a key with the same id.
 * - At most `maxKeySets` are kept. Sets that were never fetched make room first, then those that were not used for longest.
 * - All first fetches together have a rate. Sets that have keys refresh at their own pace.
 */
class KeySets implements KeySource {
  readonly #template: EndpointTemplate;
  readonly #issuer: TextGroups | undefined;
  readonly #audience: TextGroups | undefined;
  /** By address. The set that was used last is the last one. */
  readonly #sets = new Map<string, KeySet>();
  readonly #rate: RateLimit;
  #firstFetches = 0;

  constructor(
    options: TokenOptions,
    private readonly jwks: JwksOptions,
    private readonly now: () => number,
  ) {
    this.#template = new EndpointTemplate(jwks.endpoint);
    this.#issuer = options.issuerRegex === undefined ? undefined : regexGroups(options.issuerRegex);
    this.#audience = options.audienceRegex === undefined ? undefined : regexGroups(options.audienceRegex);
    this.#rate = new RateLimit({
      perSecond: jwks.firstFetchesPerSecond,
      burst: Math.max(1, jwks.firstFetchesPerSecond),
    });
  }

  keysFor(payload: Buffer): KeySet | string {
    try {
      const endpoint = this.#endpointFor(new Claims(payload));
      return endpoint === undefined ? 'its issuer or audience has no key set' : this.#setAt(endpoint);
    } catch (error) {
      if (error instanceof MalformedJsonError) return error.message;
      throw error;
    }
  }

  #endpointFor(claims: Claims): string | undefined {
    const values = new Map<string, string>();
    if (this.#issuer && !fillFrom(values, this.#issuer, [claims.text('iss') ?? ''])) return undefined;
    if (this.#audience && !fillFrom(values, this.#audience, claims.textOrTexts('aud'))) return undefined;
    return this.#template.addressWith(values);
  }

  #setAt(endpoint: string): KeySet {
    const set = this.#sets.get(endpoint) ?? this.#newSet(endpoint);
    this.#sets.delete(endpoint);
    this.#sets.set(endpoint, set);
    return set;
  }

  /** A set that cannot be fetched now is not kept: it would displace one that is being fetched. */
  #newSet(endpoint: string): KeySet {
    if (this.#rate.waitMs(this.#firstFetches, this.now()) > 0)
      throw new JwksUnavailableError('too many key sets are being fetched');
    if (this.#sets.size >= this.jwks.maxKeySets) this.#makeRoom();
    return new KeySet({ ...this.jwks, endpoint }, this.now, () => this.#mayFetchFirst(), warnings);
  }

  #makeRoom(): void {
    let leaves: string | undefined;
    for (const [endpoint, set] of this.#sets) {
      leaves ??= endpoint;
      if (set.hasKeys) continue;
      leaves = endpoint;
      break;
    }
    this.#sets.delete(leaves!);
  }

  #mayFetchFirst(): boolean {
    const next = this.#rate.next(this.#firstFetches, this.now());
    if (next === undefined) return false;
    this.#firstFetches = next;
    return true;
  }
}

/** Adds the groups of the first text that matches. Returns whether one does. */
function fillFrom(values: Map<string, string>, groupsOf: TextGroups, texts: readonly string[]): boolean {
  for (const text of texts.slice(0, MAX_AUDIENCES)) {
    const groups = text.length > MAX_CLAIM_LENGTH ? undefined : groupsOf(text);
    if (groups === undefined) continue;
    for (const [name, value] of groups) values.set(name, value);
    return true;
  }
  return false;
}
