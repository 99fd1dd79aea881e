import { Injectable } from '@nestjs/common';

export interface Progress {
  readonly minutes: number;
  readonly income: number;
  readonly done: boolean;
}

const GOAL = { minutes: 60, income: 100 };
const NOTHING: Progress = { minutes: 0, income: 0, done: false };

/**
 * How far each anchor is with the day's task. In memory here; an application keeps it in its database, and the ids of the
 * events with it in one transaction, because an event may come twice.
 */
@Injectable()
export class TaskProgress {
  readonly #progress = new Map<string, Progress>();
  readonly #counted = new Set<string>();

  of(anchor: string, day: string): Progress {
    return this.#progress.get(`${day} ${anchor}`) ?? NOTHING;
  }

  /** True if the task is done with this, and was not before. */
  add(
    anchor: string,
    day: string,
    more: Partial<Pick<Progress, 'minutes' | 'income'>>,
    eventId: string,
  ): boolean {
    const before = this.of(anchor, day);
    if (this.#counted.has(eventId) || before.done) return false;
    this.#counted.add(eventId);
    const minutes = before.minutes + (more.minutes ?? 0);
    const income = before.income + (more.income ?? 0);
    const done = minutes > GOAL.minutes && income > GOAL.income;
    this.#progress.set(`${day} ${anchor}`, { minutes, income, done });
    return done;
  }
}
