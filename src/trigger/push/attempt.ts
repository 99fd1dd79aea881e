import { Logger } from '@nestjs/common';
import { BrokerUnavailableError, type InstantLane, type Schedule } from '../../bus/index.js';
import { newMessageId } from '../../message/index.js';
import { IdempotencyKeyReusedError } from '../trigger.errors.js';
import { renewPlan, type Plan } from './plan.js';
import type { PlanStore } from './plan-store.js';
import { delayedCopy, instantCopy, newPlan, type PushRequest } from './push-request.js';
import { checkDueTime } from './timing.js';

/** Concurrent attempts with one key that keep cancelling each other's copies give up after this many steps. */
const MAX_STEPS = 8;

export interface Lanes {
  readonly instant: InstantLane;
  readonly delayed: Schedule;
}

/**
 * One attempt to execute a request: it creates both copies or none. {@link Plan} shows its states.
 *
 * The delayed copy is added first, because it can be cancelled. If the instant lane then fails, the delayed copy is
 * cancelled and the attempt fails. A copy that fell due in the meantime cannot be cancelled. A retry with the same key then
 * adds the missing copy.
 */
export class Attempt {
  readonly #logger = new Logger(Attempt.name);
  readonly #fresh: Plan;

  constructor(
    private readonly request: PushRequest,
    private readonly lanes: Lanes,
    private readonly plans: PlanStore,
    private readonly maxDelayMs: number,
    /** Aborted when the caller no longer waits for the response. */
    private readonly signal: AbortSignal,
  ) {
    this.#fresh = newPlan(request, Date.now(), newMessageId);
  }

  /** Returns the accepted plan, and whether an earlier attempt had it accepted. */
  async run(): Promise<{ readonly plan: Plan; readonly replayed: boolean }> {
    let plan = await this.plans.reserve(this.#fresh);
    if (plan.fingerprint !== this.#fresh.fingerprint)
      throw new IdempotencyKeyReusedError(
        'this Idempotency-Key was used for a different request: send another key',
      );
    if (plan.state === 'accepted') return { plan, replayed: true };
    for (let step = 0; step < MAX_STEPS; step++) {
      plan = await this.#advance(plan);
      if (plan.state === 'accepted') return { plan, replayed: false };
    }
    throw new BrokerUnavailableError('lane', 'other attempts with this key keep failing');
  }

  #advance(plan: Plan): Promise<Plan> {
    switch (plan.state) {
      case 'withdrawing':
        return this.#cancelDelayedCopy(plan);
      case 'withdrawn':
        return this.plans.replace(plan, renewPlan(plan, this.#fresh, newMessageId));
      default:
        return this.#execute(plan);
    }
  }

  async #execute(plan: Plan): Promise<Plan> {
    await this.#checkDueTime(plan);
    const { instantId, delayed, superseded } = plan;
    if (superseded !== undefined) await this.lanes.delayed.cancel(superseded);
    try {
      if (delayed) await this.lanes.delayed.add(delayedCopy(delayed, plan, this.request), this.request.owner);
      this.signal.throwIfAborted();
      if (instantId) await this.lanes.instant.publish([instantCopy(instantId, plan, this.request)]);
    } catch (cause) {
      return this.#withdraw(plan, cause);
    }
    return this.plans.replace(plan, { ...plan, state: 'accepted' });
  }

  /** Called after the key was looked up, because the time that a retry names may have passed since the first attempt. */
  async #checkDueTime(plan: Plan): Promise<void> {
    if (!plan.delayed) return;
    try {
      checkDueTime(plan.delayed.dueAt, plan.createdAt, this.maxDelayMs, plan.expiresAt);
    } catch (refusal) {
      await this.plans.release();
      throw refusal;
    }
  }

  /** Cancels the delayed copy and throws `cause`, unless another attempt with the key has succeeded in the meantime. */
  async #withdraw(plan: Plan, cause: unknown): Promise<Plan> {
    if (!plan.delayed || plan.delayed.dueAt <= Date.now()) throw cause;
    try {
      // Stored first: an attempt that is about to succeed with this copy must learn that it will be cancelled.
      const stored = await this.plans.replace(plan, { ...plan, state: 'withdrawing' });
      if (stored.state === 'accepted') return stored;
      if (stored.state === 'withdrawing') await this.#cancelDelayedCopy(stored);
      else await this.lanes.delayed.cancel(plan.delayed.id);
    } catch (error) {
      this.#logger.warn(
        `cannot cancel delayed copy ${plan.delayed.id} of a failed push, it may be delivered: ${String(error)}`,
      );
    }
    throw cause;
  }

  async #cancelDelayedCopy(plan: Plan): Promise<Plan> {
    if (!plan.delayed) return plan;
    const { id, dueAt } = plan.delayed;
    const cancelled = await this.lanes.delayed.cancel(id);
    // A copy that is not pending was never added, was cancelled before, or, only after its due time, was delivered.
    const isGone = cancelled || Date.now() < dueAt;
    return this.plans.replace(plan, { ...plan, state: isGone ? 'withdrawn' : 'planned' });
  }
}
