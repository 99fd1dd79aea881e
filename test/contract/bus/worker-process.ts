import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SubscribeOptions } from '../../../src/bus/index.js';
import type { HoldingProcessBus } from './holding-process.js';

export interface WorkerTask {
  readonly bus: HoldingProcessBus;
  readonly subscription: SubscribeOptions;
  /** How long its handler takes with a batch, in ms. */
  readonly workMs: number;
  /** File into which it writes what its handler does. */
  readonly log: string;
}

/** One call of a worker's handler. Times are in ns, of a clock that all processes of the machine share. */
export interface Visit {
  readonly worker: string;
  readonly partition: number;
  readonly bodies: readonly string[];
  readonly enteredAt: bigint;
  /** When the worker was dead, where the handler did not finish. */
  readonly leftAt: bigint;
  readonly finished: boolean;
}

/** A worker as a process of its own, which can be killed in the middle of its work. */
export class WorkerProcess {
  readonly #gone: Promise<unknown>;
  #goneAt = 0n;

  private constructor(
    private readonly child: ChildProcess,
    private readonly task: WorkerTask,
  ) {
    this.#gone = once(child, 'exit').then(() => (this.#goneAt = process.hrtime.bigint()));
  }

  /** Resolves when it has its partitions. */
  static async start(
    task: WorkerTask,
    onHandled: (bodies: readonly string[]) => void,
    onBegun: () => void = () => {},
  ): Promise<WorkerProcess> {
    const child = fork(resolve(import.meta.dirname, 'worker-process.main.ts'), [], {
      execArgv: [`--import=${resolve(import.meta.dirname, '../../support/register-typescript.ts')}`],
      env: { PATH: process.env['PATH'], WORKER_PROCESS: JSON.stringify(task) },
    });
    const worker = new WorkerProcess(child, task);
    const subscribed = Promise.withResolvers<void>();
    child.on('message', (said) => {
      if (said === 'subscribed') subscribed.resolve();
      else if (said === 'begun') onBegun();
      else onHandled(said as string[]);
    });
    const early = worker.#gone.then(() => {
      throw new Error('the worker ended before it was subscribed');
    });
    await Promise.race([subscribed.promise, early]);
    early.catch(() => {});
    return worker;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#gone;
  }

  /** Has it stand still, in the middle of whatever it does, until `thaw`. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Lets it finish what it has and leave. */
  async leave(): Promise<void> {
    if (this.child.connected) this.child.send('leave');
    await this.#gone;
  }

  /** What its handler did; to be asked when it is gone. */
  async visits(): Promise<Visit[]> {
    const lines = (await readFile(this.task.log, 'utf8')).trim().split('\n').filter(Boolean);
    const visits = new Map<number, Visit>();
    for (const line of lines) {
      const { visit, partition, bodies, at } = JSON.parse(line) as {
        visit: number;
        partition?: number;
        bodies?: string[];
        at: string;
      };
      const begun = visits.get(visit);
      if (partition !== undefined && bodies !== undefined) {
        const known = { worker: this.task.log, partition, bodies, enteredAt: BigInt(at) };
        visits.set(visit, { ...known, leftAt: this.#goneAt, finished: false });
      } else if (begun !== undefined) {
        visits.set(visit, { ...begun, leftAt: BigInt(at), finished: true });
      }
    }
    return [...visits.values()];
  }
}
