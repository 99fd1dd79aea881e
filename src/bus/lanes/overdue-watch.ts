import { every } from '../../async/index.js';
import type { Schedule } from '../schedule/schedule.port.js';
import type { ProgressWatch } from '../progress-watch.js';

/** A message that is this late is overdue: more than a busy system or a retry takes. */
const OVERDUE_MS = 5_000;
/** The pause between two attempts to make a broker deliver what is overdue. */
const RECONNECT_EVERY_MS = 30_000;
const CAUSE = 'backlog of the delayed lane';

/**
 * Looks regularly at the message of a schedule that is due first. If it is overdue and has been the first one since the previous
 * look, the delayed lane makes no progress. A broker may have forgotten to deliver it, so the consumers connect again. (Pulsar does
 * on a quiet topic: https://github.com/apache/pulsar/issues/25996.)
 */
export class OverdueWatch {
  readonly #timer: NodeJS.Timeout;
  #first: string | undefined;
  #reconnectedAt = -Infinity;

  /** @param reconnect connects the consumers again that do not hold the message */
  constructor(
    private readonly schedule: Pick<Schedule, 'list'>,
    private readonly progress: ProgressWatch,
    everyMs: number,
    private readonly reconnect: (overdue: string) => void = () => {},
  ) {
    this.#timer = every('look at the first delayed message', everyMs, () => this.look()).unref();
  }

  async look(): Promise<void> {
    try {
      const [first] = (await this.schedule.list({ limit: 1 })).messages;
      const lateMs = first === undefined ? 0 : Date.now() - first.dueAt;
      const overdue = lateMs > OVERDUE_MS ? first?.id : undefined;
      if (overdue !== undefined && overdue === this.#first) this.#stuck(overdue, lateMs);
      else this.progress.unblocked(CAUSE);
      this.#first = overdue;
    } catch {
      // The store reports its own status.
    }
  }

  #stuck(id: string, lateMs: number): void {
    const seconds = Math.round(lateMs / 1_000);
    this.progress.blocked(CAUSE, `the ${CAUSE} does not move: message ${id} is ${seconds} s overdue`);
    const now = performance.now();
    if (now - this.#reconnectedAt < RECONNECT_EVERY_MS) return;
    this.#reconnectedAt = now;
    this.reconnect(id);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
