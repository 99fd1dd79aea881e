import { createHmac, createPublicKey, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import { JwksUnavailableError, KeySet } from './key-set.js';
import { keySource, type KeySource } from './key-sets.js';
import type { TokenOptions } from './tokens.options.js';

/** The content of a token, or why it is refused. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | Refusal;

export interface Refusal {
  readonly ok: false;
  /**
   * - `expired`: it is no longer valid, or not yet. The client should get a new one.
   * - `invalid`: it was never valid here.
   * - `unavailable`: the keys could not be fetched. The same token may be accepted later.
   */
  readonly reason: 'expired' | 'invalid' | 'unavailable';
  /** For logs. It contains no part of the token except names of claims and algorithms. */
  readonly detail: string;
}

export function refused(reason: Refusal['reason'], detail: string): Refusal {
  return { ok: false, reason, detail };
}

const HASHES: ReadonlyMap<string, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

/** How many parsed headers are cached: the tokens of an issuer have only a few different ones. */
const CACHED_HEADERS = 64;

interface Header {
  readonly alg: string;
  readonly critical: boolean;
}

/**
 * Verifies the signature of a token (RFC 7515, compact form). Each algorithm has its own kind of key, so a public key can never be
 * used as an HMAC secret, and `none` has no key.
 *
 * HMAC is verified without a promise: on the main thread it takes 6 µs, through WebCrypto 80, and it matters when many clients
 * reconnect. All other algorithms return a promise.
 */
export class Signature {
  readonly #secrets: readonly { readonly key: KeyObject; readonly validUntil: number }[];
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #keySource: KeySource | undefined;
  readonly #headers = new Map<string, Header>();

  constructor(
    options: TokenOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.#keySource = keySource(options, now);
    this.#secrets = this.#keySource ? [] : secretsOf(options);
    this.#keys = this.#keySource ? new Map() : publicKeysOf(options);
  }

  /** Returns the payload. */
  verify(token: string): Outcome<Buffer> | Promise<Outcome<Buffer>> {
    const headerEnd = token.indexOf('.');
    const payloadEnd = token.indexOf('.', headerEnd + 1);
    if (headerEnd < 0 || payloadEnd < 0) return refused('invalid', 'not a JWT');
    const header = this.#header(token.slice(0, headerEnd));
    if (header === undefined) return refused('invalid', 'its header is malformed');
    const hash = HASHES.get(header.alg);
    if (hash === undefined)
      return this.#verifyAsymmetric(token, header.alg, token.slice(headerEnd + 1, payloadEnd));
    if (header.critical) return refused('invalid', 'its header requires an extension');
    return this.#verifyHmac(token, hash, headerEnd, payloadEnd);
  }

  #verifyHmac(token: string, hash: string, headerEnd: number, payloadEnd: number): Outcome<Buffer> {
    const signed = token.slice(0, payloadEnd);
    const signature = Buffer.from(token.slice(payloadEnd + 1));
    for (const { key, validUntil } of this.#secrets) {
      if (validUntil <= this.now()) continue;
      const expected = Buffer.from(createHmac(hash, key).update(signed).digest('base64url'));
      if (expected.length === signature.length && timingSafeEqual(expected, signature)) {
        return { ok: true, value: Buffer.from(token.slice(headerEnd + 1, payloadEnd), 'base64url') };
      }
    }
    return refused('invalid', this.#secrets.length === 0 ? 'HMAC is not enabled' : 'wrong signature');
  }

  async #verifyAsymmetric(token: string, alg: string, encoded: string): Promise<Outcome<Buffer>> {
    if (!ASYMMETRIC.includes(alg))
      return refused('invalid', `the algorithm ${alg.slice(0, 16)} is not supported`);
    try {
      const key = this.#keys.get(alg) ?? this.#keySource?.keysFor(Buffer.from(encoded, 'base64url'));
      if (key === undefined) return refused('invalid', `${alg} is not enabled`);
      if (typeof key === 'string') return refused('invalid', key);
      const { payload } =
        key instanceof KeySet
          ? await compactVerify(token, key.find, { algorithms: [alg] })
          : await compactVerify(token, key, { algorithms: [alg] });
      return { ok: true, value: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength) };
    } catch (error) {
      if (error instanceof JwksUnavailableError) return refused('unavailable', error.message);
      if (error instanceof errors.JOSEError) return refused('invalid', error.code);
      return refused('invalid', 'the key does not fit the algorithm');
    }
  }

  #header(encoded: string): Header | undefined {
    const known = this.#headers.get(encoded);
    if (known !== undefined) return known;
    const header = parseHeader(encoded);
    if (header === undefined) return undefined;
    if (this.#headers.size === CACHED_HEADERS) this.#headers.clear();
    this.#headers.set(encoded, header);
    return header;
  }
}

function parseHeader(encoded: string): Header | undefined {
  try {
    const header = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as Record<string, unknown> | null;
    const alg = header?.['alg'];
    return typeof alg === 'string' ? { alg, critical: header?.['crit'] !== undefined } : undefined;
  } catch {
    return undefined;
  }
}

function secretsOf(options: TokenOptions): { key: KeyObject; validUntil: number }[] {
  const { hmacSecretKey, hmacPreviousSecretKey, hmacPreviousSecretKeyValidUntil: until } = options;
  const secrets: { key: KeyObject; validUntil: number }[] = [];
  const add = (secret: string | undefined, validUntil: number): void => {
    if (secret !== undefined) secrets.push({ key: createSecretKey(Buffer.from(secret)), validUntil });
  };
  add(hmacSecretKey, Infinity);
  add(hmacPreviousSecretKey, until === undefined ? Infinity : until * 1000);
  return secrets;
}

function publicKeysOf(options: TokenOptions): ReadonlyMap<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  const add = (pem: string | undefined, ...algorithms: string[]): void => {
    for (const alg of pem === undefined ? [] : algorithms) keys.set(alg, createPublicKey(pem!));
  };
  add(options.rsaPublicKey, 'RS256', 'RS384', 'RS512');
  add(options.ecdsaPublicKey, 'ES256', 'ES384', 'ES512');
  add(options.ed25519PublicKey, 'EdDSA', 'Ed25519');
  return keys;
}
