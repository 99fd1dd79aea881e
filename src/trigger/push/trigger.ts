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
import { withinAnswerTime } from '../answer-deadline.js';
import { Agreement, type Plan } from './plan.js';
import type { PushRequest } from './push-request.js';
import { TriggerMetrics, type TriggerOutcome } from '../trigger.metrics.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';

export interface Copy {
  readonly id: string;
  readonly lane: 'instant' | 'delayed';
  /** Unix time in ms. */
  readonly dueAt: number;
}

export interface Pushed {
  readonly copies: readonly Copy[];
  /** An earlier request with the same key caused the copies. */
  readonly replayed: boolean;
}

/** Turns requests for a push into messages on their lanes, whichever way the requests came in. */
@Injectable()
export class Trigger implements OnModuleDestroy {
  readonly #lanes: Lanes;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(
    instantLane: InstantLane,
    schedule: Schedule,
    private readonly idempotency: Idempotency,
    private readonly metrics: TriggerMetrics,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {
    this.#lanes = { instant: instantLane, delayed: schedule };
  }

  /**
   * Resolves when the lanes hold every copy.
   * @throws BrokerUnavailableError within `answerTimeoutMs`, and then no lane keeps a copy. What the lanes did not say
   *   by then is finished or undone behind the answer. A retry with the same idempotency key is always safe.
   * @throws ScheduleFullError the delayed lane has no room, and no lane keeps a copy
   * @throws DeliverAtInPastError, DelayTooLongError, ExpiresBeforeDueError, IdempotencyKeyReusedError: nothing was done
   */
  async push(request: PushRequest): Promise<Pushed> {
    try {
      const { plan, replayed } = await withinAnswerTime(this.options.answerTimeoutMs, (signal) =>
        this.#keepTrack(this.#attempt(request, signal).settle()),
      );
      this.metrics.count(replayed ? 'replayed' : 'accepted');
      return { copies: copiesOf(plan), replayed };
    } catch (error) {
      this.metrics.count(outcomeOf(error));
      throw error;
    }
  }

  /** Waits for what goes on behind an answer. */
  async onModuleDestroy(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  #attempt(request: PushRequest, signal: AbortSignal): Attempt {
    const { idempotency, maxDelayMs } = this.options;
    const agreement = new Agreement(this.idempotency, request.idempotencyKey, idempotency.ttlMs);
    return new Attempt(request, this.#lanes, agreement, maxDelayMs, signal);
  }

  #keepTrack<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
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
