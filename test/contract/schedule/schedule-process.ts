import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { ScheduledMessage } from '../../../src/message/index.js';

/** How the process opens its schedule. */
export interface ScheduleProcessOptions {
  /** Path of a module that exports `open(options: unknown): Promise<Schedule>`, relative to this directory. */
  readonly module: string;
  readonly options: unknown;
}

export interface ScheduleProcess {
  /** Resolves when its handler has been called. */
  readonly holds: Promise<void>;
  /** Sends SIGKILL. Resolves when the process has exited. */
  kill(): Promise<void>;
}

/** Starts a process that adds `messages` and consumes one of them, with a handler that never finishes. Resolves when all are added. */
export async function startScheduleProcess(
  schedule: ScheduleProcessOptions,
  messages: readonly ScheduledMessage[],
): Promise<ScheduleProcess> {
  const child = fork(resolve(import.meta.dirname, 'schedule-process.main.ts'), [], {
    execArgv: [`--import=${resolve(import.meta.dirname, '../../support/register-typescript.ts')}`],
    env: { PATH: process.env['PATH'] },
    serialization: 'advanced',
  });
  const exited = once(child, 'exit');
  const added = Promise.withResolvers<void>();
  const holds = Promise.withResolvers<void>();
  child.on('message', (message) => (message === 'added' ? added : holds).resolve());
  child.send({ schedule, messages });
  const early = exited.then(([code, signal]) => {
    throw new Error(`the process exited before it had added all messages: ${code ?? signal}`);
  });
  await Promise.race([added.promise, early]);
  early.catch(() => {});
  return {
    holds: holds.promise,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
