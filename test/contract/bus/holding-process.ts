import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { SubscribeOptions } from '../../../src/bus/index.js';
import type { HoldingProcess } from './bus.contract.js';

/** How the process opens its bus. */
export interface HoldingProcessBus {
  /** Path of a module that exports `open(options: unknown): Promise<Bus>`, relative to this directory. */
  readonly module: string;
  readonly options: unknown;
}

/** Starts a process that subscribes and whose handler never finishes. Resolves when it is subscribed. */
export async function startHoldingProcess(
  bus: HoldingProcessBus,
  subscription: SubscribeOptions,
): Promise<HoldingProcess> {
  const child = fork(resolve(import.meta.dirname, 'holding-process.main.ts'), [], {
    execArgv: [`--import=${resolve(import.meta.dirname, '../../support/register-typescript.ts')}`],
    env: { PATH: process.env['PATH'], HOLDING_PROCESS: JSON.stringify({ bus, subscription }) },
  });
  const exited = once(child, 'exit');
  const holds = Promise.withResolvers<void>();
  const subscribed = Promise.withResolvers<void>();
  child.on('message', (message) => (message === 'subscribed' ? subscribed : holds).resolve());
  const early = exited.then(([code, signal]) => {
    throw new Error(`the process exited before it was subscribed: ${code ?? signal}`);
  });
  await Promise.race([subscribed.promise, early]);
  early.catch(() => {});
  return {
    holds: holds.promise,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
