import type { Idempotency } from '../bus/index.js';

/**
 * What a request will cause, settled before anything is done. Attempts with one idempotency key follow one plan:
 *
 *     planned ──► accepted     both lanes hold their copy; the answer is in force
 *        └──────► withdrawn    an attempt failed and took the delayed copy back ──► planned (with a new delayed id)
 *
 * The instant id never changes, since a publish that failed may have reached the queue all the same. The delayed id does:
 * a schedule ignores an id that it has cancelled. What was `superseded` is cancelled again before its successor is
 * added, so that an attempt which dies half way leaves no second delayed copy.
 */
export interface Plan {
  readonly state: 'planned' | 'accepted' | 'withdrawn';
  /** Digest of the request, by which a key used for another request is told. */
  readonly fingerprint: string;
  /** Unix times in ms. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly instantId?: string;
  readonly delayed?: { readonly id: string; readonly dueAt: number };
  readonly superseded?: string;
}

/** The plan that takes the place of a withdrawn one: that of the request as it comes now, with the old instant id. */
export function renewed(withdrawn: Plan, fresh: Plan): Plan {
  return {
    ...fresh,
    ...(withdrawn.instantId !== undefined ? { instantId: withdrawn.instantId } : {}),
    ...(withdrawn.delayed !== undefined ? { superseded: withdrawn.delayed.id } : {}),
  };
}

/** What the attempts with one idempotency key have agreed on. A request without a key agrees with itself. */
export class Agreement {
  constructor(
    private readonly store: Idempotency,
    private readonly key: string | undefined,
    private readonly ttlMs: number,
  ) {}

  /** Returns the plan in force: the one given, or the one of an earlier attempt. */
  async propose(plan: Plan): Promise<Plan> {
    if (this.key === undefined) return plan;
    return read(await this.store.reserve(this.key, write(plan), this.ttlMs));
  }

  /** Puts `next` in the place of `plan`, unless another attempt was first; returns the plan in force. */
  async advance(plan: Plan, next: Plan): Promise<Plan> {
    if (this.key === undefined) return next;
    return read(await this.store.replace(this.key, write(plan), write(next), this.ttlMs));
  }

  async forget(): Promise<void> {
    if (this.key !== undefined) await this.store.release(this.key);
  }
}

/** Written the same way whatever order its properties were given in: the store compares text. */
function write(plan: Plan): string {
  const { state, fingerprint, createdAt, expiresAt, instantId, delayed, superseded } = plan;
  return JSON.stringify({ state, fingerprint, createdAt, expiresAt, instantId, delayed, superseded });
}

function read(text: string): Plan {
  return JSON.parse(text) as Plan;
}
