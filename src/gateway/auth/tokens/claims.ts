import type { SubscriptionOverride } from '../../../delivery/index.js';
import type { SubscriptionGrant } from '../decisions.js';
import { MalformedJsonError, membersOf } from '../../../json/index.js';

const overrides = {
  presence: 'presence',
  join_leave: 'joinLeave',
  force_push_join_leave: 'forcePushJoinLeave',
  force_recovery: 'forceRecovery',
  force_positioning: 'forcePositioning',
} as const satisfies Record<string, keyof SubscriptionOverride>;

/**
 * Reads the claims of a token, one at a time. Names are matched without regard to case, as by issuers and servers in Go. A claim that is absent or null is undefined. Payloads are returned byte for byte.
 * Every method throws {@link MalformedJsonError} if the claim has the wrong type.
 */
export class Claims {
  readonly #asWritten: ReadonlyMap<string, Buffer>;
  readonly #members: ReadonlyMap<string, Buffer>;

  constructor(json: Buffer) {
    this.#asWritten = membersOf(json);
    this.#members = inLowerCase(this.#asWritten);
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw new MalformedJsonError(`${name} must be a string`);
  }

  /** Returns an id, which some issuers write as a number, from a claim whose name is configured and has to fit exactly. */
  id(name: string): string | undefined {
    const value = parsed(this.#asWritten.get(name));
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    throw new MalformedJsonError(`${name} must be a string`);
  }

  /** Returns a registered time (`exp`, `nbf`), which some issuers write as text. */
  date(name: string): number | undefined {
    const value = this.#value(name);
    return typeof value === 'string' && JSON_NUMBER.test(value) ? Number(value) : this.seconds(name);
  }

  /** Returns a Unix time in seconds, which may have a fraction. */
  seconds(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'number') return value;
    throw new MalformedJsonError(`${name} must be a number`);
  }

  texts(name: string): readonly string[] {
    const value = this.#value(name) ?? [];
    if (isTexts(value)) return value;
    throw new MalformedJsonError(`${name} must be a list of strings`);
  }

  /** Returns a list that may be written as a single string, like `aud`. */
  textOrTexts(name: string): readonly string[] {
    const value = this.#value(name);
    return typeof value === 'string' ? [value] : this.texts(name);
  }

  /** Returns a payload: JSON, or the bytes of the base64 claim with the prefix `b64`, which takes precedence. */
  payload(name: string): Buffer | undefined {
    const encoded = this.text(`b64${name}`);
    if (encoded === undefined || encoded === '') return this.raw(name);
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.toString('base64') !== encoded) throw new MalformedJsonError(`b64${name} must be base64`);
    return bytes;
  }

  raw(name: string): Buffer | undefined {
    const raw = this.#members.get(name);
    return raw === undefined || isNull(raw) ? undefined : raw;
  }

  grant(): SubscriptionGrant {
    return { info: this.payload('info'), data: this.payload('data'), override: this.#override() };
  }

  /** Returns the grants by channel. */
  grants(name: string): ReadonlyMap<string, SubscriptionGrant> | undefined {
    const raw = this.raw(name);
    if (raw === undefined) return undefined;
    const grants = new Map<string, SubscriptionGrant>();
    for (const [channel, member] of membersOf(raw)) {
      grants.set(channel, isNull(member) ? noGrant : new Claims(member).grant());
    }
    return grants;
  }

  #override(): SubscriptionOverride {
    const raw = this.raw('override');
    if (raw === undefined) return {};
    const override: { -readonly [K in keyof SubscriptionOverride]: boolean } = {};
    for (const [name, member] of inLowerCase(membersOf(raw))) {
      if (!Object.hasOwn(overrides, name) || isNull(member)) continue;
      override[overrides[name as keyof typeof overrides]] = new Claims(member).#value('value') === true;
    }
    return override;
  }

  #value(name: string): unknown {
    return parsed(this.#members.get(name));
  }
}

function parsed(raw: Buffer | undefined): unknown {
  return raw === undefined || isNull(raw) ? undefined : (JSON.parse(raw.toString()) as unknown);
}

/** The grant of a channel that a token only lists. */
export const noGrant: SubscriptionGrant = { info: undefined, data: undefined, override: {} };

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** Of several spellings of a name, the last one that is not null counts. */
function inLowerCase(members: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  if (members.keys().every((name) => lowerCase(name) === name)) return members;
  const lower = new Map<string, Buffer>();
  for (const [name, value] of members) {
    const key = lowerCase(name);
    if (!lower.has(key) || !isNull(value)) lower.set(key, value);
  }
  return lower;
}

/** Lower case as Go's JSON package compares names: of the letters that are not ASCII, only the long s and the Kelvin sign fold. */
function lowerCase(name: string): string {
  return name.replaceAll(/[A-Z\u017F\u212A]/g, (letter) =>
    letter === '\u017F' ? 's' : letter === '\u212A' ? 'k' : letter.toLowerCase(),
  );
}

function isNull(raw: Buffer): boolean {
  return raw.length === 4 && raw.toString() === 'null';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}
