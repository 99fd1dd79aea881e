import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** The headers of a signed call: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export interface SignatureHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/** Signs calls with one or more secrets, so that a receiver can change its secret without missing a call. */
export class Signer {
  readonly #keys: readonly Buffer[];

  /** @param secrets `whsec_` and the key in base64 */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => Buffer.from(secret.slice(PREFIX.length), 'base64'));
  }

  /**
   * @param id the same for every attempt of a call, so that the receiver can tell that it has seen it
   * @param unixSeconds receivers refuse a time that is minutes away from theirs
   */
  sign(id: string, unixSeconds: number, body: Uint8Array): SignatureHeaders {
    const signatures = this.#keys.map((key) => {
      const hmac = createHmac('sha256', key).update(`${id}.${unixSeconds}.`).update(body);
      return `v1,${hmac.digest('base64')}`;
    });
    return {
      'webhook-id': id,
      'webhook-timestamp': String(unixSeconds),
      'webhook-signature': signatures.join(' '),
    };
  }
}

/** Whether a text is a secret for {@link Signer}: a key of 24 to 64 bytes. */
export function isSigningSecret(text: string): boolean {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text)) return false;
  const { length } = Buffer.from(text.slice(PREFIX.length), 'base64');
  return length >= 24 && length <= 64;
}
