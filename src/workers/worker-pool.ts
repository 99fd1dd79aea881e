import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { after, backoffMs, inBackground, settlesWithin } from '../async/index.js';
import type { Link } from '../ipc/index.js';
import { DEAD_AFTER_S, watchLiveness } from './liveness.js';
import { linkToWorker, workerStdio } from './worker-link.js';
import { WorkersFailedError } from './workers.errors.js';

export interface WorkerPoolOptions {
  readonly size: number;
  /** Path of the program that a worker runs. */
  readonly program: string;
  readonly args: readonly string[];
  /** How long workers may take to stop before they are killed, in ms. */
  readonly stopTimeoutMs: number;
  /** Called for each new worker, before it sends anything. */
  readonly onLink: (link: Link) => void;
  /** Called when workers keep dying. The pool starts no more of them for this worker. */
  readonly onFailed: (error: WorkersFailedError) => void;
}

/** A worker that ends sooner, in ms, had a short life. */
const SHORT_LIFE_MS = 10_000;
/** The pool fails after more short lives in a row, of any of its workers. */
const MAX_SHORT_LIVES = 8;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** A worker that has lost its link is killed if it has not ended after this time, in ms. */
const EXIT_WITHOUT_LINK_MS = 2_000;

/** Runs a fixed number of worker processes. Replaces a worker that ends or does not respond. */
export class WorkerPool {
  readonly #logger = new Logger('Workers');
  /** Each worker with a promise of its exit code, or of the signal that ended it. */
  readonly #workers = new Map<Worker, Promise<number | string>>();
  readonly #stopping = new AbortController();
  #shortLives = 0;

  constructor(private readonly options: WorkerPoolOptions) {
    const { program, args } = options;
    cluster.setupPrimary({ exec: program, args: [...args], stdio: [...workerStdio] });
    cluster.schedulingPolicy = cluster.SCHED_RR;
  }

  /**
   * Resolves when all workers are ready.
   * @throws {WorkersFailedError} a worker ended before it was ready; the same would happen to its replacement
   */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.size }, () => this.#add()));
  }

  /** Asks all workers to stop, and kills those that take too long. Returns whether all exited with 0. */
  async stop(): Promise<boolean> {
    this.#stopping.abort();
    const exited = Promise.all(this.#workers.values());
    for (const { process } of this.#workers.keys()) process.kill('SIGTERM');
    await settlesWithin(this.options.stopTimeoutMs, exited);
    this.kill();
    return (await exited).every((code) => code === 0);
  }

  /** Kills all workers immediately. */
  kill(): void {
    this.#stopping.abort();
    for (const { process } of this.#workers.keys()) process.kill('SIGKILL');
  }

  /** Starts one worker, and resolves when it is ready. From then on it is replaced when it ends. */
  async #add(): Promise<void> {
    const startedAt = Date.now();
    const worker = cluster.fork();
    const exited = Promise.withResolvers<number | string>();
    const ready = Promise.withResolvers<void>();
    worker.on('error', (error) => {
      this.#logger.error(error);
      if (worker.process.pid !== undefined) return;
      // A process that could not be started, for example because no file descriptor is free, emits no `exit`.
      this.#workers.delete(worker);
      exited.resolve('it could not be started');
    });
    const link = linkToWorker(worker.process);
    this.#workers.set(worker, exited.promise);
    this.options.onLink(link);
    worker.on('message', (message: unknown) => message === 'ready' && ready.resolve());
    worker.once('exit', (code: number | null, signal: string | null) => {
      this.#workers.delete(worker);
      exited.resolve(code ?? signal ?? '');
    });
    link.onEnd(() => this.#killUnlessExited(worker, exited.promise));
    const failed = exited.promise.then((how) => {
      throw new WorkersFailedError(
        `a worker ended before it was ready (${how}): its own log lines say why; correct that, then start again`,
      );
    });
    await Promise.race([ready.promise, failed]);
    // Not before the worker is ready: loading the program blocks its event loop.
    watchLiveness(link, { onDead: () => this.#killUnresponsive(worker) });
    inBackground('replacement of a worker', async () =>
      this.#onExit(worker, await exited.promise, startedAt),
    );
  }

  /** A worker ends when its link does, unless it is stopped. Without a link its liveness is unknown, so it has to be killed. */
  #killUnlessExited({ process }: Worker, exited: Promise<unknown>): void {
    const timer = after('end of a worker without a link', EXIT_WITHOUT_LINK_MS, () => {
      this.#logger.error(`worker ${process.pid} has lost its link and does not end: it is killed`);
      process.kill('SIGKILL');
    }).unref();
    void exited.then(() => clearTimeout(timer));
  }

  #killUnresponsive({ process }: Worker): void {
    this.#logger.error(`worker ${process.pid} has not responded for ${DEAD_AFTER_S} s and is killed`);
    process.kill('SIGKILL');
  }

  async #onExit(worker: Worker, how: number | string, startedAt: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#logger.warn(`worker ${worker.process.pid} ended (${how}) and is replaced`);
    for (let lastStart = startedAt; !(await this.#replace(lastStart));) lastStart = Date.now();
  }

  /** Returns whether the replacement is complete; false if the new worker failed as well. */
  async #replace(startedAt: number): Promise<boolean> {
    this.#shortLives = Date.now() - startedAt < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    if (this.#shortLives > MAX_SHORT_LIVES) {
      const reason = `${this.#shortLives} workers in a row ended within ${SHORT_LIFE_MS / 1_000} s of their start`;
      this.options.onFailed(new WorkersFailedError(`${reason}: their own log lines say why`));
      return true;
    }
    const { signal } = this.#stopping;
    // No pause after the first short life: it may be an accident, and its clients want to reconnect.
    const pauseMs =
      this.#shortLives < 2 ? 0 : backoffMs(this.#shortLives - 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    // This timer has to keep the process alive, because without workers nothing else may.
    await delay(pauseMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return true;
    try {
      await this.#add();
      return true;
    } catch (error) {
      if (!signal.aborted) this.#logger.error(error);
      return signal.aborted;
    }
  }
}
