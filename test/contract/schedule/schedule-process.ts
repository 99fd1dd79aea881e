import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { ScheduledMessage } from '../../../src/message/index.js';

/** What the process needs to open its schedule. */
export interface ScheduleElsewhere {
  /** Exports `open(options: unknown): Promise<Schedule>`; a path relative to this directory. */
  readonly module: string;
  readonly options: unknown;
}

export interface ScheduleProcess {
  /** Resolves when its handler was called. */
  readonly holds: Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts a process that adds `messages`, takes one of them, and never finishes with it. Resolves when all are added. */
export async function startScheduleProcess(
  schedule: ScheduleElsewhere,
  messages: readonly ScheduledMessage[],
): Promise<ScheduleProcess> {
  const child = fork(resolve(import.meta.dirname, 'schedule-process.main.ts'), [], {
    execArgv: [`--import=${resolve(import.meta.dirname, '../../support/register-typescript.ts')}`],
    env: { PATH: process.env['PATH'] },
    serialization: 'advanced',
  });
  const gone = once(child, 'exit');
  const added = Promise.withResolvers<void>();
  const holds = Promise.withResolvers<void>();
  child.on('message', (said) => (said === 'added' ? added : holds).resolve());
  child.send({ schedule, messages });
  const early = gone.then(([code, signal]) => {
    throw new Error(`the process ended before it had added everything: ${code ?? signal}`);
  });
  await Promise.race([added.promise, early]);
  early.catch(() => {});
  return {
    holds: holds.promise,
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
