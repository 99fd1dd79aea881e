import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { BrokerUnavailableError, type InstantLane, type Schedule } from '../../bus/index.js';
import { newMessageId } from '../../message/index.js';
import { IdempotencyKeyReusedError } from '../trigger.errors.js';
import { renewPlan, retimePlan, type Plan } from './plan.js';
import type { PlanStore } from './plan-store.js';
import { delayedCopy, instantCopy, newPlan, type PushRequest } from './push-request.js';
import { checkDueTime } from './timing.js';
import type { Withdrawals } from './withdrawals.js';

/** Concurrent attempts with one key that keep cancelling each other's copies give up after this many steps. */
const MAX_STEPS = 8;

export interface Lanes {
  readonly instant: InstantLane;
  readonly delayed: Schedule;
  readonly withdrawals: Withdrawals;
}

/** How far ahead a copy may be due, and how long an attempt may take, in ms. */
export interface AttemptLimits {
  readonly maxDelayMs: number;
  readonly answerTimeoutMs: number;
}

/**
 * One attempt to execute a request: it creates both copies or none. {@link Plan} shows its states.
 *
 * The delayed copy is added first, because it can be cancelled. If the instant lane then fails, the delayed copy is
 * cancelled and the attempt fails. A copy that fell due in the meantime cannot be cancelled. A retry with the same key then
 * adds the missing copy.
 *
 * A plan that is older than an attempt may take belongs to one that failed, for example because the store had stalled. Its delay
 * starts again, so that the copies keep their distance.
 */
export class Attempt {
  readonly #logger = new Logger(Attempt.name);
  readonly #fresh: Plan;
  readonly #id = randomUUID();

  constructor(
    private readonly request: PushRequest,
    private readonly lanes: Lanes,
    private readonly plans: PlanStore,
    private readonly limits: AttemptLimits,
    /** Aborted when the caller no longer waits for the response. */
    private readonly signal: AbortSignal,
  ) {
    this.#fresh = newPlan(request, Date.now(), newMessageId);
  }

  /** Returns the accepted plan, and whether another attempt accepted it. */
  async run(): Promise<{ readonly plan: Plan; readonly replayed: boolean }> {
    let plan = await this.plans.reserve(this.#fresh);
    if (plan.fingerprint !== this.#fresh.fingerprint)
      throw new IdempotencyKeyReusedError(
        'this Idempotency-Key was used for a different request: send another key',
      );
    for (let step = 0; plan.state !== 'accepted' && step < MAX_STEPS; step++)
      plan = await this.#advance(plan);
    if (plan.state === 'accepted') return { plan, replayed: plan.acceptedBy !== this.#id };
    throw new BrokerUnavailableError('lane', 'other attempts with this key keep failing');
  }

  #advance(plan: Plan): Promise<Plan> {
    switch (plan.state) {
      case 'withdrawing':
        return this.#cancelDelayedCopy(plan);
      case 'withdrawn':
        return this.plans.replace(plan, renewPlan(plan, this.#fresh, newMessageId));
      default:
        return this.#isAbandoned(plan) ? this.#takeOver(plan) : this.#execute(plan);
    }
  }

  #isAbandoned({ createdAt }: Plan): boolean {
    return createdAt + this.limits.answerTimeoutMs <= this.#fresh.createdAt;
  }

  /** Gives the plan of an attempt that failed the times of this one. */
  async #takeOver(plan: Plan): Promise<Plan> {
    const { delayed } = plan;
    const isCancelled = delayed !== undefined && (await this.lanes.delayed.cancel(delayed.id));
    const next: Plan = isCancelled ? { ...plan, state: 'withdrawn' } : retimePlan(plan, this.#fresh);
    return this.plans.replace(plan, next);
  }

  async #execute(plan: Plan): Promise<Plan> {
    await this.#checkDueTime(plan);
    const { instantId, delayed, superseded } = plan;
    if (superseded !== undefined) await this.lanes.delayed.cancel(superseded);
    // The caller has been refused: nothing is added any more.
    this.signal.throwIfAborted();
    try {
      if (delayed) await this.lanes.delayed.add(delayedCopy(delayed, plan, this.request), this.request.owner);
      this.signal.throwIfAborted();
      if (instantId) await this.lanes.instant.publish([instantCopy(instantId, plan, this.request)]);
    } catch (cause) {
      return this.#withdraw(plan, cause);
    }
    return this.plans.replace(plan, {
      ...(await this.#asDelivered(plan)),
      state: 'accepted',
      acceptedBy: this.#id,
    });
  }

  /** Adding a copy again that was delivered has no effect, so its former due time is the true one. */
  async #asDelivered(plan: Plan): Promise<Plan> {
    const { delayed, formerDueAt } = plan;
    if (delayed === undefined || formerDueAt === undefined) return plan;
    const isPending = (await this.lanes.delayed.find(delayed.id)) !== undefined;
    return isPending ? plan : { ...plan, delayed: { ...delayed, dueAt: formerDueAt } };
  }

  /** Called after the key was looked up, because the time that a retry names may have passed since the first attempt. */
  async #checkDueTime(plan: Plan): Promise<void> {
    // The time of a plan that was taken over was checked by the attempt that failed.
    if (!plan.delayed || plan.formerDueAt !== undefined) return;
    try {
      checkDueTime(plan.delayed.dueAt, plan.createdAt, this.limits.maxDelayMs, plan.expiresAt);
    } catch (refusal) {
      await this.plans.release();
      throw refusal;
    }
  }

  /** Cancels the delayed copy and throws `cause`, unless another attempt with the key has succeeded in the meantime. */
  async #withdraw(plan: Plan, cause: unknown): Promise<Plan> {
    const { delayed } = plan;
    if (!delayed || delayed.dueAt <= Date.now()) throw cause;
    const undo = () => this.#undo(plan, delayed.id);
    try {
      const stored = await undo();
      if (stored.state === 'accepted') return stored;
    } catch (error) {
      this.#logger.warn(
        `cannot cancel delayed copy ${delayed.id} of a failed push, trying again until it is due: ${String(error)}`,
      );
      this.lanes.withdrawals.repeat(undo, delayed.dueAt);
    }
    throw cause;
  }

  /** Cancels the delayed copy unless another attempt has succeeded with it. Resolves to the plan in force. */
  async #undo(plan: Plan, delayedId: string): Promise<Plan> {
    // Stored first: an attempt that is about to succeed with this copy must learn that it will be cancelled.
    const stored = await this.plans.replace(plan, { ...plan, state: 'withdrawing' });
    if (stored.state === 'withdrawing') return this.#cancelDelayedCopy(stored);
    if (stored.delayed?.id !== delayedId) await this.lanes.delayed.cancel(delayedId);
    return stored;
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
