import type { Idempotency } from '../../bus/index.js';
import type { Plan } from './plan.js';

/** Stores the plan that attempts with one idempotency key share. Without a key, nothing is stored. */
export class PlanStore {
  constructor(
    private readonly store: Idempotency,
    private readonly key: string | undefined,
    private readonly ttlMs: number,
  ) {}

  /** Stores the plan unless an earlier attempt has stored one. Returns the stored plan. */
  async reserve(plan: Plan): Promise<Plan> {
    if (this.key === undefined) return plan;
    return parse(await this.store.reserve(this.key, serialize(plan), this.ttlMs));
  }

  /** Replaces `plan` with `next` unless another attempt has replaced it already. Returns the stored plan. */
  async replace(plan: Plan, next: Plan): Promise<Plan> {
    if (this.key === undefined) return next;
    return parse(await this.store.replace(this.key, serialize(plan), serialize(next), this.ttlMs));
  }

  /** Removes the plan, so that the key is free again. */
  async release(): Promise<void> {
    if (this.key !== undefined) await this.store.release(this.key);
  }
}

/** Writes properties in a fixed order, because the store compares text. */
function serialize(plan: Plan): string {
  const {
    state,
    acceptedBy,
    fingerprint,
    createdAt,
    expiresAt,
    instantId,
    delayed,
    superseded,
    formerDueAt,
  } = plan;
  return JSON.stringify({
    state,
    acceptedBy,
    fingerprint,
    createdAt,
    expiresAt,
    instantId,
    delayed,
    superseded,
    formerDueAt,
  });
}

function parse(text: string): Plan {
  return JSON.parse(text) as Plan;
}
