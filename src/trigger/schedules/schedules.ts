import { Inject, Injectable } from '@nestjs/common';
import { Schedule, type SchedulePage, type ScheduleQuery } from '../../bus/index.js';
import type { ScheduledMessage } from '../../message/index.js';
import { withinAnswerTimeout } from '../answer-timeout.js';
import { checkDueTime, dueTime, type Timing } from '../push/timing.js';
import { ScheduleAlreadyDueError, UnknownScheduleError } from '../trigger.errors.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';

/**
 * Reads and changes scheduled messages. `owner` is the channel to which the caller is limited: messages to other channels
 * seem not to exist. Undefined: the caller may access every message.
 *
 * @throws BrokerUnavailableError from every method, within `answerTimeoutMs`
 */
@Injectable()
export class Schedules {
  constructor(
    private readonly schedule: Schedule,
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {}

  list(query: ScheduleQuery): Promise<SchedulePage> {
    return withinAnswerTimeout(this.options.answerTimeoutMs, () => this.schedule.list(query));
  }

  /** @throws UnknownScheduleError also if the message was delivered or cancelled */
  async find(id: string, owner: string | undefined): Promise<ScheduledMessage> {
    const message = await withinAnswerTimeout(this.options.answerTimeoutMs, () => this.schedule.find(id));
    if (message === undefined || (owner !== undefined && message.channel !== owner))
      throw new UnknownScheduleError(
        'no scheduled message has this id: it may have been delivered or cancelled',
      );
    return message;
  }

  /** @throws UnknownScheduleError, ScheduleAlreadyDueError */
  async cancel(id: string, owner: string | undefined): Promise<void> {
    await this.#findPending(id, owner);
    const cancelled = await withinAnswerTimeout(this.options.answerTimeoutMs, () => this.schedule.cancel(id));
    if (!cancelled) throw alreadyDue();
  }

  /**
   * Returns the message with its new due time.
   * @throws UnknownScheduleError, ScheduleAlreadyDueError, and what {@link checkDueTime} throws
   */
  async reschedule(id: string, timing: Timing, owner: string | undefined): Promise<ScheduledMessage> {
    const message = await this.#findPending(id, owner);
    const now = Date.now();
    const dueAt = dueTime(timing, now);
    checkDueTime(dueAt, now, this.options.maxDelayMs, message.expiresAt);
    const moved = await withinAnswerTimeout(this.options.answerTimeoutMs, () =>
      this.schedule.reschedule(id, dueAt),
    );
    if (!moved) throw alreadyDue();
    return { ...message, dueAt };
  }

  async #findPending(id: string, owner: string | undefined): Promise<ScheduledMessage> {
    const message = await this.find(id, owner);
    if (message.dueAt <= Date.now()) throw alreadyDue();
    return message;
  }
}

function alreadyDue(): ScheduleAlreadyDueError {
  return new ScheduleAlreadyDueError(
    'the message is due and is being delivered: it can no longer be changed',
  );
}
