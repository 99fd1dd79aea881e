import { every } from '../async/index.js';
import type { BrokerStatus } from '../metrics/index.js';
import type { PartitionLag, ProgressReporter } from './bus.port.js';

/** Limits the memory for causes. The oldest ones are enough to explain why nothing moves. */
const MAX_CAUSES = 1_000;
const CHECK_EVERY_MS = 1_000;
/** A cause that is not reported again within this many times `stalledAfterMs` is forgotten: its partition may have moved. */
const FORGET_AFTER = 4;

interface Cause {
  readonly since: number;
  lastReportedAt: number;
  reason: string;
}

/**
 * Decides whether a lane makes progress, from what its adapter and its handler report, and sets a status accordingly.
 *
 * The status is down while any cause has lasted `stalledAfterMs`. It is up again as soon as no such cause is left. A lane without
 * reports, for example an idle one, is up.
 */
export class ProgressWatch implements ProgressReporter {
  readonly #causes = new Map<string, Cause>();
  readonly #acknowledged = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #status: BrokerStatus | undefined;

  /** @param openStatus called by `start`, so that a process that does not consume the lane reports no status for it */
  constructor(
    private readonly openStatus: () => BrokerStatus,
    private readonly stalledAfterMs: number,
  ) {}

  /** From now on reports count. Called when the lane is consumed. */
  start(): void {
    this.#status ??= this.openStatus();
    this.#status.up();
  }

  blocked(cause: string, reason: string): void {
    if (this.#status === undefined) return;
    const now = performance.now();
    const known = this.#causes.get(cause);
    if (known !== undefined) {
      known.lastReportedAt = now;
      known.reason = reason;
    } else if (this.#causes.size < MAX_CAUSES) {
      this.#causes.set(cause, { since: now, lastReportedAt: now, reason });
    }
    this.#timer ??= every(
      'check of the progress of a lane',
      Math.min(CHECK_EVERY_MS, this.stalledAfterMs),
      () => this.#check(),
    ).unref();
  }

  unblocked(cause: string): void {
    if (this.#causes.size > 0 && this.#causes.delete(cause)) this.#check();
  }

  /** Returns a reporter whose causes and reasons begin with `name`. Its causes are forgotten by `forget(name)`. */
  scoped(name: string): ProgressReporter {
    return {
      blocked: (cause, reason) => this.blocked(`${name}: ${cause}`, `${name}: ${reason}`),
      unblocked: (cause) => this.unblocked(`${name}: ${cause}`),
    };
  }

  /** Forgets every cause whose name begins with `prefix`, for example because the partitions were assigned again. */
  forget(prefix: string): void {
    for (const cause of this.#causes.keys()) if (cause.startsWith(prefix)) this.#causes.delete(cause);
    this.#check();
  }

  /** Settles as `work` does. If it rejects, `cause` blocks the lane until a later call with the same cause resolves. */
  async follow<T>(cause: string, work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.unblocked(cause);
      return result;
    } catch (error) {
      this.blocked(
        cause,
        `${cause} keeps failing: ${error instanceof Error ? error.message : String(error)}`,
      );
      throw error;
    }
  }

  /**
   * Takes a measurement of the lag. A partition with records whose mark `acknowledged` is the same as in the previous measurement
   * blocks the lane. Partitions that another member reads, and those without a mark, are not judged.
   */
  measured(lags: readonly PartitionLag[]): void {
    for (const { topic, partition, records, acknowledged, isAssigned = true } of lags) {
      const cause = `backlog of ${topic}/${partition}`;
      const previous = this.#acknowledged.get(cause);
      if (acknowledged === undefined || records === 0 || !isAssigned) this.#acknowledged.delete(cause);
      else this.#acknowledged.set(cause, acknowledged);
      if (this.#acknowledged.has(cause) && acknowledged === previous)
        this.blocked(cause, `the ${cause} does not move: ${records} record(s) wait`);
      else this.unblocked(cause);
    }
  }

  /** Sets the status to up and ignores later reports, because nothing is consumed any more. */
  close(): void {
    this.forget('');
    this.#status = undefined;
  }

  #check(): void {
    const now = performance.now();
    let stalled: Cause | undefined;
    for (const [name, cause] of this.#causes) {
      if (now - cause.lastReportedAt > FORGET_AFTER * this.stalledAfterMs) this.#causes.delete(name);
      else if (now - cause.since >= this.stalledAfterMs) stalled ??= cause;
    }
    if (stalled === undefined) this.#status?.up();
    else this.#status?.down(stalled.reason);
    if (this.#causes.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
