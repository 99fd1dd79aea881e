import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import {
  BrokerUnavailableError,
  BusClosedError,
  Idempotency,
  InstantLane,
  Schedule,
  ScheduleFullError,
} from '../../bus/index.js';
import { CarillonError } from '../../errors.js';
import { Attempt, type Lanes } from './attempt.js';
import { withinAnswerTimeout } from '../answer-timeout.js';
import type { Plan } from './plan.js';
import { PlanStore } from './plan-store.js';
import type { PushRequest } from './push-request.js';
import { TriggerMetrics, type TriggerOutcome } from '../trigger.metrics.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import { Withdrawals } from './withdrawals.js';

export interface Copy {
  readonly id: string;
  readonly lane: 'instant' | 'delayed';
  /** Unix time in ms. */
  readonly dueAt: number;
}

export interface PushResult {
  readonly copies: readonly Copy[];
  /** Whether an earlier request with the same key created the copies. */
  readonly replayed: boolean;
}

/** Puts the messages of push requests on their lanes, for every API. */
@Injectable()
export class Trigger implements OnModuleDestroy {
  readonly #lanes: Lanes;
  readonly #running = new Set<Promise<unknown>>();

  constructor(
    instantLane: InstantLane,
    schedule: Schedule,
    private readonly idempotency: Idempotency,
    private readonly metrics: TriggerMetrics,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {
    this.#lanes = { instant: instantLane, delayed: schedule, withdrawals: new Withdrawals() };
  }

  /**
   * Resolves when the lanes hold every copy.
   * @throws BrokerUnavailableError within `answerTimeoutMs`. No lane keeps a copy then: work that has not ended by that time
   *   is completed or undone in the background. A retry with the same idempotency key is always safe.
   * @throws ScheduleFullError, ScheduleQuotaError if the delayed lane has no room for the message. No lane keeps a copy then.
   * @throws DeliverAtInPastError, DelayTooLongError, ExpiresBeforeDueError, IdempotencyKeyReusedError before anything is done
   */
  async push(request: PushRequest): Promise<PushResult> {
    try {
      const { plan, replayed } = await withinAnswerTimeout(this.options.answerTimeoutMs, (signal) =>
        this.#track(this.#attempt(request, signal).run()),
      );
      this.metrics.count(replayed ? 'replayed' : 'accepted');
      return { copies: copiesOf(plan), replayed };
    } catch (error) {
      this.metrics.count(outcomeOf(error));
      throw error;
    }
  }

  /** Resolves when no work continues in the background of a response. */
  async onModuleDestroy(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#lanes.withdrawals.close();
  }

  #attempt(request: PushRequest, signal: AbortSignal): Attempt {
    const { idempotency } = this.options;
    const plans = new PlanStore(this.idempotency, request.idempotencyKey, idempotency.ttlMs);
    return new Attempt(request, this.#lanes, plans, this.options, signal);
  }

  #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#running.add(work);
    const forget = () => this.#running.delete(work);
    work.then(forget, forget);
    return work;
  }
}

function outcomeOf(error: unknown): TriggerOutcome {
  for (const kind of [BrokerUnavailableError, BusClosedError, ScheduleFullError])
    if (error instanceof kind) return 'unavailable';
  return error instanceof CarillonError ? 'refused' : 'failed';
}

function copiesOf({ instantId, delayed, createdAt }: Plan): Copy[] {
  const copies: Copy[] = [];
  if (instantId !== undefined) copies.push({ id: instantId, lane: 'instant', dueAt: createdAt });
  if (delayed !== undefined) copies.push({ id: delayed.id, lane: 'delayed', dueAt: delayed.dueAt });
  return copies;
}
