/**
 * What a request will do. It is decided before anything is done, and attempts with one idempotency key follow one plan:
 *
 *     planned ─► accepted         both lanes hold their copy, and the response is final
 *        ├─────► planned          at another time: the attempt that planned it has failed, and this one counts
 *        └─────► withdrawing      an attempt failed, and the delayed copy is being cancelled
 *                     ├─► withdrawn ─► planned again, with another delayed id
 *                     └─► planned      the delayed copy may have been delivered, so it stays; the instant copy is missing
 *
 * The state is persisted around each action, so that the next attempt can complete or undo what an attempt that died, or
 * that lost a race, has left behind. The instant id never changes, because a publish that failed may have reached the
 * queue. The delayed id changes, because a schedule ignores an id that it has cancelled. `superseded` is the previous
 * delayed id, which is cancelled again in case a slow attempt added it late.
 */
export interface Plan {
  readonly state: 'planned' | 'accepted' | 'withdrawing' | 'withdrawn';
  /** Identifies the attempt that accepted the plan. Of attempts at the same moment it is the original, and the others are replays. */
  readonly acceptedBy?: string;
  /** Digest of the request. It detects a key that is used for a different request. */
  readonly fingerprint: string;
  /** Unix times in ms. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly instantId?: string;
  readonly delayed?: { readonly id: string; readonly dueAt: number };
  readonly superseded?: string;
  /** The due time of the delayed copy before the times were renewed. The copy may have been delivered at that time. */
  readonly formerDueAt?: number;
}

/** Returns the plan with the times of the current attempt, for a delayed copy that is not pending: it may never have been added. */
export function retimePlan(plan: Plan, fresh: Plan): Plan {
  const { createdAt, expiresAt, delayed } = fresh;
  const retimed = { ...plan, createdAt, ...(expiresAt !== undefined ? { expiresAt } : {}) };
  if (plan.delayed === undefined || delayed === undefined) return retimed;
  const { id, dueAt } = plan.delayed;
  return { ...retimed, delayed: { id, dueAt: delayed.dueAt }, formerDueAt: plan.formerDueAt ?? dueAt };
}

/**
 * Returns the plan that replaces a withdrawn one: that of the current request, with the instant id of the withdrawn plan.
 * The delayed id is always new, because the withdrawn plan may be that of the same attempt.
 */
export function renewPlan(withdrawn: Plan, fresh: Plan, newId: () => string): Plan {
  return {
    ...fresh,
    ...(withdrawn.instantId !== undefined ? { instantId: withdrawn.instantId } : {}),
    ...(fresh.delayed !== undefined ? { delayed: { ...fresh.delayed, id: newId() } } : {}),
    ...(withdrawn.delayed !== undefined ? { superseded: withdrawn.delayed.id } : {}),
  };
}
