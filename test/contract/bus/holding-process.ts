import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { SubscribeOptions } from '../../../src/bus/index.js';
import type { HoldingProcess } from './bus.contract.js';

/** What the process needs to open its bus: a module, what it exports, and the options for that. */
export interface HoldingProcessBus {
  /** Exports `open(options: unknown): Promise<Bus>`; a path relative to this directory. */
  readonly module: string;
  readonly options: unknown;
}

/** Starts a process that subscribes and never finishes with what it is given. Resolves when it is subscribed. */
export async function startHoldingProcess(
  bus: HoldingProcessBus,
  subscription: SubscribeOptions,
): Promise<HoldingProcess> {
  const child = fork(resolve(import.meta.dirname, 'holding-process.main.ts'), [], {
    execArgv: [`--import=${resolve(import.meta.dirname, '../../support/register-typescript.ts')}`],
    env: { PATH: process.env['PATH'], HOLDING_PROCESS: JSON.stringify({ bus, subscription }) },
  });
  const gone = once(child, 'exit');
  const holds = Promise.withResolvers<void>();
  const subscribed = Promise.withResolvers<void>();
  child.on('message', (said) => (said === 'subscribed' ? subscribed : holds).resolve());
  const early = gone.then(([code, signal]) => {
    throw new Error(`the process ended before it was subscribed: ${code ?? signal}`);
  });
  await Promise.race([subscribed.promise, early]);
  early.catch(() => {});
  return {
    holds: holds.promise,
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
