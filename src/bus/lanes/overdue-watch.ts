import { every } from '../../async/index.js';
import type { Schedule } from '../schedule/schedule.port.js';
import type { ProgressWatch } from '../progress-watch.js';

/** A message that is this late is overdue: more than a busy system or a retry takes. */
const OVERDUE_MS = 5_000;
const CAUSE = 'backlog of the delayed lane';

/**
 * Looks regularly at the message of a schedule that is due first. If it is overdue and has been the first one since the previous
 * look, the delayed lane makes no progress.
 */
export class OverdueWatch {
  readonly #timer: NodeJS.Timeout;
  #first: string | undefined;

  constructor(
    private readonly schedule: Pick<Schedule, 'list'>,
    private readonly progress: ProgressWatch,
    everyMs: number,
  ) {
    this.#timer = every('look at the first delayed message', everyMs, () => this.look()).unref();
  }

  async look(): Promise<void> {
    try {
      const [first] = (await this.schedule.list({ limit: 1 })).messages;
      const lateMs = first === undefined ? 0 : Date.now() - first.dueAt;
      const overdue = lateMs > OVERDUE_MS ? first?.id : undefined;
      if (overdue !== undefined && overdue === this.#first)
        this.progress.blocked(
          CAUSE,
          `the ${CAUSE} does not move: message ${overdue} is ${Math.round(lateMs / 1_000)} s overdue`,
        );
      else this.progress.unblocked(CAUSE);
      this.#first = overdue;
    } catch {
      // The store reports its own status.
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
