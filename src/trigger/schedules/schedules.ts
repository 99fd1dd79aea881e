import { Inject, Injectable } from '@nestjs/common';
import { Schedule, type SchedulePage, type ScheduleQuery } from '../../bus/index.js';
import type { ScheduledMessage } from '../../message/index.js';
import { withinAnswerTime } from '../answer-deadline.js';
import { checkDueTime, dueTime, type Timing } from '../push/timing.js';
import { ScheduleAlreadyDueError, UnknownScheduleError } from '../trigger.errors.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';

/**
 * The delayed lane as a caller may see and change it. `owner` is the channel to which the caller is confined: a message
 * to another looks as if it did not exist. Absent: every message.
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
    return withinAnswerTime(this.options.answerTimeoutMs, () => this.schedule.list(query));
  }

  /** @throws UnknownScheduleError also when it was handed over or cancelled */
  async find(id: string, owner: string | undefined): Promise<ScheduledMessage> {
    const message = await withinAnswerTime(this.options.answerTimeoutMs, () => this.schedule.find(id));
    if (message === undefined || (owner !== undefined && message.channel !== owner))
      throw new UnknownScheduleError('no message with this id is waiting');
    return message;
  }

  /** @throws UnknownScheduleError, ScheduleAlreadyDueError */
  async cancel(id: string, owner: string | undefined): Promise<void> {
    await this.#findPending(id, owner);
    const cancelled = await withinAnswerTime(this.options.answerTimeoutMs, () => this.schedule.cancel(id));
    if (!cancelled) throw alreadyDue();
  }

  /**
   * Returns the message with its new due time.
   * @throws UnknownScheduleError, ScheduleAlreadyDueError, and what {@link checkDueTime} refuses
   */
  async reschedule(id: string, timing: Timing, owner: string | undefined): Promise<ScheduledMessage> {
    const message = await this.#findPending(id, owner);
    const now = Date.now();
    const dueAt = dueTime(timing, now);
    checkDueTime(dueAt, now, this.options.maxDelayMs, message.expiresAt);
    const moved = await withinAnswerTime(this.options.answerTimeoutMs, () =>
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
  return new ScheduleAlreadyDueError('the message is due and on its way');
}
