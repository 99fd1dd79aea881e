import type { Idempotency } from '../../bus/index.js';

/**
 * What a request will cause, settled before anything is done. Attempts with one idempotency key follow one plan:
 *
 *     planned ─► accepted         both lanes hold their copy, and the answer is in force
 *        └─────► withdrawing      an attempt failed; the delayed copy is being taken back
 *                     ├─► withdrawn ─► planned again, with another delayed id
 *                     └─► planned      it may have been handed over by now, so it stays, and the instant one is missing
 *
 * Each step is agreed on before or after the deed in such an order that an attempt which dies, or which loses a race
 * against another one, is made good by whoever comes next. The instant id never changes, since a publish that failed may
 * have reached the queue all the same. The delayed id does, since a schedule ignores an id that it has cancelled;
 * `superseded` is the one before, cancelled once more in case that a slow attempt added it late.
 */
export interface Plan {
  readonly state: 'planned' | 'accepted' | 'withdrawing' | 'withdrawn';
  /** Digest of the request, by which a key used for another request is told. */
  readonly fingerprint: string;
  /** Unix times in ms. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly instantId?: string;
  readonly delayed?: { readonly id: string; readonly dueAt: number };
  readonly superseded?: string;
}

/**
 * The plan that takes the place of a withdrawn one: that of the request as it comes now, with the old instant id. The
 * delayed id is new even where the withdrawn plan was this attempt's own.
 */
export function renewed(withdrawn: Plan, fresh: Plan, newId: () => string): Plan {
  return {
    ...fresh,
    ...(withdrawn.instantId !== undefined ? { instantId: withdrawn.instantId } : {}),
    ...(fresh.delayed !== undefined ? { delayed: { ...fresh.delayed, id: newId() } } : {}),
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
