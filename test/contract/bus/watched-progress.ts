import { setTimeout as delay } from 'node:timers/promises';
import { ProgressWatch } from '../../../src/bus/progress-watch.js';
import { BrokerStatus } from '../../../src/metrics/index.js';

export interface WatchedProgress {
  readonly progress: ProgressWatch;
  /** Resolves with the reason when the lane makes no progress. Calls `measure` again and again until then. */
  isDown(measure?: () => Promise<void>): Promise<string>;
  /** Resolves when the lane makes progress. */
  isUp(measure?: () => Promise<void>): Promise<void>;
  /** Resolves when the condition holds. */
  until(condition: () => Promise<boolean>): Promise<void>;
}

/** Watches the progress of a subscription, which counts as stalled after this time. */
export function watchedProgress(stalledAfterMs: number): WatchedProgress {
  const status = new BrokerStatus('lane');
  const progress = new ProgressWatch(() => status, stalledAfterMs);
  progress.start();
  const until = async (condition: () => Promise<boolean>) => {
    while (!(await condition())) await delay(50);
  };
  const isInState = (state: 'up' | 'down', measure?: () => Promise<void>) =>
    until(async () => {
      await measure?.();
      return status.state === state;
    });
  return {
    progress,
    until,
    isDown: async (measure) => {
      await isInState('down', measure);
      return status.reason ?? '';
    },
    isUp: (measure) => isInState('up', measure),
  };
}
