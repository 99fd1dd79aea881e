import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SubscribeOptions } from '../../../src/bus/index.js';
import type { HoldingProcessBus } from './holding-process.js';

export interface WorkerTask {
  readonly bus: HoldingProcessBus;
  readonly subscription: SubscribeOptions;
  /** How long its handler takes per batch, in ms. */
  readonly workMs: number;
  /** File to which it writes the start and the end of every handler call. */
  readonly log: string;
}

/** One call of a worker's handler. Times are in ns, by a clock that all processes of the machine share. */
export interface HandlerCall {
  readonly worker: string;
  readonly partition: number;
  readonly bodies: readonly string[];
  readonly startedAt: bigint;
  /** If the handler did not finish: the time at which the worker had exited. */
  readonly endedAt: bigint;
  readonly finished: boolean;
}

/** A worker in its own process. A test can kill it while its handler is running. */
export class WorkerProcess {
  readonly #exited: Promise<unknown>;
  #exitedAt = 0n;

  private constructor(
    private readonly child: ChildProcess,
    private readonly task: WorkerTask,
  ) {
    this.#exited = once(child, 'exit').then(() => (this.#exitedAt = process.hrtime.bigint()));
  }

  /** Resolves when the worker is subscribed. */
  static async start(
    task: WorkerTask,
    onHandled: (bodies: readonly string[]) => void,
    onStarted: () => void = () => {},
  ): Promise<WorkerProcess> {
    const child = fork(resolve(import.meta.dirname, 'worker-process.main.ts'), [], {
      execArgv: [`--import=${resolve(import.meta.dirname, '../../support/register-typescript.ts')}`],
      env: { PATH: process.env['PATH'], WORKER_PROCESS: JSON.stringify(task) },
    });
    const worker = new WorkerProcess(child, task);
    const subscribed = Promise.withResolvers<void>();
    child.on('message', (message) => {
      if (message === 'subscribed') subscribed.resolve();
      else if (message === 'started') onStarted();
      else onHandled(message as string[]);
    });
    const early = worker.#exited.then(() => {
      throw new Error('the worker exited before it was subscribed');
    });
    await Promise.race([subscribed.promise, early]);
    early.catch(() => {});
    return worker;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exited;
  }

  /** Suspends the process until `thaw`. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Lets the worker close its bus and exit. */
  async leave(): Promise<void> {
    if (this.child.connected) this.child.send('leave');
    await this.#exited;
  }

  /** Resolves with all calls of its handler. The worker must have exited. */
  async handlerCalls(): Promise<HandlerCall[]> {
    const lines = (await readFile(this.task.log, 'utf8')).trim().split('\n').filter(Boolean);
    const calls = new Map<number, HandlerCall>();
    for (const line of lines) {
      const { call, partition, bodies, at } = JSON.parse(line) as {
        call: number;
        partition?: number;
        bodies?: string[];
        at: string;
      };
      const started = calls.get(call);
      if (partition !== undefined && bodies !== undefined) {
        const known = { worker: this.task.log, partition, bodies, startedAt: BigInt(at) };
        calls.set(call, { ...known, endedAt: this.#exitedAt, finished: false });
      } else if (started !== undefined) {
        calls.set(call, { ...started, endedAt: BigInt(at), finished: true });
      }
    }
    return [...calls.values()];
  }
}
