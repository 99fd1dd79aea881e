import { Injectable } from '@nestjs/common';

export interface Progress {
  readonly minutes: number;
  readonly income: number;
  readonly done: boolean;
  readonly rewarded: boolean;
}

const GOAL = { minutes: 60, income: 100 };
const NOTHING: Progress = { minutes: 0, income: 0, done: false, rewarded: false };

/**
 * Each anchor's progress with the task of a day. This example keeps it in memory. An application stores it in its database,
 * with the ids of the counted events in the same transaction, because an event may be delivered twice.
 */
@Injectable()
export class TaskProgress {
  readonly #progress = new Map<string, Progress>();
  readonly #counted = new Set<string>();

  of(anchor: string, day: string): Progress {
    return this.#progress.get(`${day} ${anchor}`) ?? NOTHING;
  }

  /** Returns true if the task is completed and its reward has not been granted yet. */
  add(
    anchor: string,
    day: string,
    more: Partial<Pick<Progress, 'minutes' | 'income'>>,
    eventId: string,
  ): boolean {
    if (!this.#counted.has(eventId) && !this.of(anchor, day).done) this.#count(anchor, day, more, eventId);
    const { done, rewarded } = this.of(anchor, day);
    return done && !rewarded;
  }

  rewarded(anchor: string, day: string): void {
    this.#progress.set(`${day} ${anchor}`, { ...this.of(anchor, day), rewarded: true });
  }

  #count(
    anchor: string,
    day: string,
    more: Partial<Pick<Progress, 'minutes' | 'income'>>,
    eventId: string,
  ): void {
    this.#counted.add(eventId);
    const before = this.of(anchor, day);
    const minutes = before.minutes + (more.minutes ?? 0);
    const income = before.income + (more.income ?? 0);
    const done = minutes > GOAL.minutes && income > GOAL.income;
    this.#progress.set(`${day} ${anchor}`, { ...before, minutes, income, done });
  }
}
