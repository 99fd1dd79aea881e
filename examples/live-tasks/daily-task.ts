import { Injectable } from '@nestjs/common';
import { type EventContext, ModuleConsumer, UnhandleableEventError } from 'carillon/bus';
import { type AnchorIncome, type BroadcastEnded, LIVE } from './live-events.js';
import { TaskProgress } from './task-progress.js';

/** Grants the reward to an anchor who has completed the task of a day. */
export abstract class Rewards {
  abstract grant(anchor: string, day: string): Promise<void>;
}

/** The daily task is "more than 60 minutes live and more than 100 in income". One consumer handles both events. */
@Injectable()
@ModuleConsumer({
  module: 'task',
  consumer: 'daily',
  topics: [LIVE],
  events: ['anchor-income', 'broadcast-ended'],
  // An anchor's events stay in order, even behind a failed one.
  ordering: 'key',
})
export class DailyTask {
  constructor(
    private readonly progress: TaskProgress,
    private readonly rewards: Rewards,
  ) {}

  async handle(_consumer: string, event: string, payload: unknown, context: EventContext): Promise<void> {
    const { anchor, ...more } = contribution(event, payload);
    const day = new Date(context.createdAt).toISOString().slice(0, 10);
    if (!this.progress.add(anchor, day, more, context.id)) return;
    await this.rewards.grant(anchor, day);
    // Only after the grant: if it fails, the event is retried.
    this.progress.rewarded(anchor, day);
  }
}

function contribution(
  event: string,
  payload: unknown,
): { anchor: string; minutes?: number; income?: number } {
  switch (event) {
    case 'anchor-income': {
      const { anchor, income } = payload as AnchorIncome;
      // A retry cannot help.
      if (!Number.isFinite(income))
        throw new UnhandleableEventError(`income must be a number, but is ${String(income)}`);
      return { anchor, income };
    }
    default: {
      const { anchor, minutes } = payload as BroadcastEnded;
      if (!Number.isFinite(minutes))
        throw new UnhandleableEventError(`minutes must be a number, but is ${String(minutes)}`);
      return { anchor, minutes };
    }
  }
}
