import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import { GIVEN_UP_AFTER_S, watchPulse } from './pulse.js';
import { linkToWorker, workerStdio } from './worker-link.js';
import { WorkersFailedError } from './workers.errors.js';

export interface CrewOptions {
  readonly size: number;
  /** The program that a worker runs. */
  readonly program: string;
  readonly args: readonly string[];
  /** How long workers may take to stop before they are killed, in ms. */
  readonly stopTimeoutMs: number;
  /** Called for each new worker, before it says anything. */
  readonly onLink: (link: Link) => void;
  /** Called when workers cannot be kept running; the crew is of no use from then on. */
  readonly onGivenUp: (error: WorkersFailedError) => void;
}

/** A worker that does not live for so long, in ms, died at once. */
const SHORT_LIFE_MS = 10_000;
/** After how many such deaths in a row, of whichever worker, the crew gives up. */
const MAX_SHORT_LIVES = 8;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** How long a worker that has lost its link may take to end by itself, in ms. */
const END_WITHOUT_LINK_MS = 2_000;

/** The worker processes: as many as were asked for, each replaced when it dies, or stands still. */
export class Crew {
  readonly #logger = new Logger(Crew.name);
  /** Each with how it will have ended: an exit code or a signal. */
  readonly #workers = new Map<Worker, Promise<number | string>>();
  readonly #stopping = new AbortController();
  #shortLives = 0;

  constructor(private readonly options: CrewOptions) {
    const { program, args } = options;
    cluster.setupPrimary({ exec: program, args: [...args], stdio: [...workerStdio] });
    cluster.schedulingPolicy = cluster.SCHED_RR;
  }

  /**
   * Resolves when all are ready.
   * @throws {WorkersFailedError} one of them ended before: what is wrong is wrong for all
   */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.size }, () => this.#add()));
  }

  /** Asks all of them to stop, and kills those that take too long. Answers whether all ended cleanly. */
  async stop(): Promise<boolean> {
    this.#stopping.abort();
    const ended = Promise.all(this.#workers.values());
    for (const { process } of this.#workers.keys()) process.kill('SIGTERM');
    await Promise.race([ended, delay(this.options.stopTimeoutMs, undefined, { ref: false })]);
    this.kill();
    return (await ended).every((code) => code === 0);
  }

  /** Ends all of them at once. */
  kill(): void {
    this.#stopping.abort();
    for (const { process } of this.#workers.keys()) process.kill('SIGKILL');
  }

  /** Resolves when a further worker is ready, which is replaced from then on. */
  async #add(): Promise<void> {
    const bornAt = Date.now();
    const worker = cluster.fork();
    const exited = Promise.withResolvers<number | string>();
    const ready = Promise.withResolvers<void>();
    this.#workers.set(worker, exited.promise);
    const link = linkToWorker(worker.process);
    this.options.onLink(link);
    worker.on('error', (error) => this.#logger.error(error));
    worker.on('message', (message: unknown) => message === 'ready' && ready.resolve());
    worker.once('exit', (code: number | null, signal: string | null) => {
      this.#workers.delete(worker);
      exited.resolve(code ?? signal ?? '');
    });
    link.onEnd(() => this.#seeOff(worker, exited.promise));
    const ending = exited.promise.then((how) => {
      throw new WorkersFailedError(`a worker ended before it was ready (${how})`);
    });
    await Promise.race([ready.promise, ending]);
    // Only from here on: loading the program takes as long as it takes.
    watchPulse(link, { onGivenUp: () => this.#giveUp(worker) });
    void exited.promise.then((how) => this.#onExit(worker, how, bornAt));
  }

  /** A worker without a link ends, unless it stands still: then nothing asks after it any more, and nobody would replace it. */
  #seeOff({ process }: Worker, exited: Promise<unknown>): void {
    const timer = setTimeout(() => {
      this.#logger.error(`worker ${process.pid} has lost its link, does not end and is killed`);
      process.kill('SIGKILL');
    }, END_WITHOUT_LINK_MS).unref();
    void exited.then(() => clearTimeout(timer));
  }

  #giveUp({ process }: Worker): void {
    this.#logger.error(`worker ${process.pid} has not answered for ${GIVEN_UP_AFTER_S} s and is killed`);
    process.kill('SIGKILL');
  }

  async #onExit(worker: Worker, how: number | string, bornAt: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#logger.warn(`worker ${worker.process.pid} ended (${how}) and is replaced`);
    for (let lastBornAt = bornAt; !(await this.#replace(lastBornAt));) lastBornAt = Date.now();
  }

  /** Answers whether nothing is left to do. */
  async #replace(bornAt: number): Promise<boolean> {
    this.#shortLives = Date.now() - bornAt < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    if (this.#shortLives > MAX_SHORT_LIVES) {
      const reason = `workers died at once ${this.#shortLives} times in a row`;
      this.options.onGivenUp(new WorkersFailedError(reason));
      return true;
    }
    const { signal } = this.#stopping;
    // A first death may be an accident, and whoever was connected wants to come back.
    const pauseMs = this.#shortLives < 2 ? 0 : FIRST_PAUSE_MS * 2 ** (this.#shortLives - 2);
    await delay(Math.min(pauseMs, LONGEST_PAUSE_MS), undefined, { signal }).catch(() => {});
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
