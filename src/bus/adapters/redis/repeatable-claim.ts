import { randomUUID } from 'node:crypto';

/** Identifies a claim, so that it can be repeated. */
export interface ClaimAttempt {
  /** Unique name of the consumer. */
  readonly claimant: string;
  /** Number of the claim. All attempts at one claim have the same number. */
  readonly number: number;
  /** An earlier attempt failed. Redis may have executed it, or may still execute it. */
  readonly isRepeated: boolean;
}

/**
 * The claims of one consumer, one at a time. A claim that failed is repeated until it succeeds: Redis may have executed
 * it when it was stalled, and then holds leases that no other process may take until they expire.
 */
export class RepeatableClaims {
  readonly claimant: string = randomUUID();
  #number = 1;
  #isRepeated = false;

  async next<T>(claim: (attempt: ClaimAttempt) => Promise<T>): Promise<T> {
    const { claimant } = this;
    const attempt = { claimant, number: this.#number, isRepeated: this.#isRepeated };
    // Reset by success only, so that it is also right after a call that threw.
    this.#isRepeated = true;
    const claimed = await claim(attempt);
    this.#number++;
    this.#isRepeated = false;
    return claimed;
  }
}

/** The claims of all consumers of a store. What Redis remembers of a consumer is deleted when it closes. */
export class ConsumerClaims {
  readonly #open = new Set<RepeatableClaims>();

  /** @param forget deletes what Redis remembers of a claimant. If it fails, the key expires. */
  constructor(private readonly forget: (claimant: string) => Promise<unknown>) {}

  open(): RepeatableClaims {
    const claims = new RepeatableClaims();
    this.#open.add(claims);
    return claims;
  }

  /** May be called twice. */
  async close(claims: RepeatableClaims): Promise<void> {
    if (this.#open.delete(claims)) await this.forget(claims.claimant).catch(() => {});
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((claims) => this.close(claims)));
  }
}

/** An attempt that Redis executes later than this, in ms, claims again. Its leases then have to expire. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * Lua functions that make a claim repeatable. The key of a consumer holds the number of its last claim that took
 * something, and what that was: pairs of an id and a proof of its lease.
 *
 * - `takenEarlier` returns the pairs if this claim was executed before, none if a later claim was, and nil otherwise.
 * - `rememberTaken` stores the pairs. A claim that took nothing is stored only if an attempt at it may come late.
 */
export const repeatableClaim = `
local function takenEarlier(key, number)
  local last = redis.call('GET', key)
  if not last then return end
  local lastNumber, taken = unpack(cmsgpack.unpack(last))
  if lastNumber == tonumber(number) then return taken end
  if lastNumber > tonumber(number) then return {} end
end

local function rememberTaken(key, number, isRepeated, taken)
  if #taken == 0 and isRepeated == '0' then return end
  redis.call('SET', key, cmsgpack.pack({ tonumber(number), taken }), 'PX', ${REMEMBERED_MS})
end
`;
