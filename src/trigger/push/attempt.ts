import { Logger } from '@nestjs/common';
import { BrokerUnavailableError, type InstantLane, type Schedule } from '../../bus/index.js';
import { newMessageId } from '../../message/index.js';
import { renewed, type Agreement, type Plan } from './plan.js';
import { delayedCopy, instantCopy, newPlan, type PushRequest } from './push-request.js';
import { checkDueTime } from './timing.js';
import { IdempotencyKeyReusedError } from '../trigger.errors.js';

/** Attempts with one key that keep taking each other's copies back give up after this many steps. */
const MAX_STEPS = 8;

export interface Lanes {
  readonly instant: InstantLane;
  readonly delayed: Schedule;
}

/**
 * One try to carry a request out: both copies or none. {@link Plan} shows the states that it goes through.
 *
 * The delayed copy goes first, because it can be taken back. If the instant lane then fails, it is, and so does the
 * attempt. Only a copy that fell due in the meantime stays out; a retry with the same key then adds what is missing.
 */
export class Attempt {
  readonly #logger = new Logger(Attempt.name);
  readonly #fresh: Plan;

  constructor(
    private readonly request: PushRequest,
    private readonly lanes: Lanes,
    private readonly agreement: Agreement,
    private readonly maxDelayMs: number,
    /** Aborted when nobody waits for the answer any more. */
    private readonly signal: AbortSignal,
  ) {
    this.#fresh = newPlan(request, Date.now(), newMessageId);
  }

  /** Returns the accepted plan, and whether it was accepted before. */
  async settle(): Promise<{ readonly plan: Plan; readonly replayed: boolean }> {
    let plan = await this.agreement.propose(this.#fresh);
    if (plan.fingerprint !== this.#fresh.fingerprint)
      throw new IdempotencyKeyReusedError('this Idempotency-Key was used for another request');
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
        return this.#takeBack(plan);
      case 'withdrawn':
        return this.agreement.advance(plan, renewed(plan, this.#fresh, newMessageId));
      default:
        return this.#carryOut(plan);
    }
  }

  async #carryOut(plan: Plan): Promise<Plan> {
    await this.#refuseImpossible(plan);
    const { instantId, delayed, superseded } = plan;
    if (superseded !== undefined) await this.lanes.delayed.cancel(superseded);
    try {
      if (delayed) await this.lanes.delayed.add(delayedCopy(delayed, plan, this.request));
      this.signal.throwIfAborted();
      if (instantId) await this.lanes.instant.publish([instantCopy(instantId, plan, this.request)]);
    } catch (cause) {
      return this.#withdraw(plan, cause);
    }
    return this.agreement.advance(plan, { ...plan, state: 'accepted' });
  }

  /** Not before the key was looked up: a retry may come when the time that it names has passed. */
  async #refuseImpossible(plan: Plan): Promise<void> {
    if (!plan.delayed) return;
    try {
      checkDueTime(plan.delayed.dueAt, plan.createdAt, this.maxDelayMs, plan.expiresAt);
    } catch (refusal) {
      await this.agreement.forget();
      throw refusal;
    }
  }

  /** Takes the delayed copy back and throws `cause`, unless another attempt with the key has got through meanwhile. */
  async #withdraw(plan: Plan, cause: unknown): Promise<Plan> {
    if (!plan.delayed || plan.delayed.dueAt <= Date.now()) throw cause;
    try {
      // Agreed first: an attempt that is about to succeed with this copy must learn that it goes.
      const agreed = await this.agreement.advance(plan, { ...plan, state: 'withdrawing' });
      if (agreed.state === 'accepted') return agreed;
      if (agreed.state === 'withdrawing') await this.#takeBack(agreed);
      else await this.lanes.delayed.cancel(plan.delayed.id);
    } catch (error) {
      this.#logger.warn(`could not take back delayed copy ${plan.delayed.id}: ${String(error)}`);
    }
    throw cause;
  }

  async #takeBack(plan: Plan): Promise<Plan> {
    if (!plan.delayed) return plan;
    const { id, dueAt } = plan.delayed;
    const cancelled = await this.lanes.delayed.cancel(id);
    // What is not pending was never held, or is cancelled already, or, past its time only, was handed over.
    const gone = cancelled || Date.now() < dueAt;
    return this.agreement.advance(plan, { ...plan, state: gone ? 'withdrawn' : 'planned' });
  }
}
