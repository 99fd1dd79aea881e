import { Logger } from '@nestjs/common';
import { every } from '../../async/index.js';
import type { ConsumerGauge } from '../bus.metrics.js';
import type { ProgressReporter, SubscriptionObserver } from '../bus.port.js';
import type { Consumer } from './consumer.js';
import type { ConsumerState } from './consumer-state.js';

const CAUSE = 'membership in its group';
/** How often the cause is reported while it lasts, because reporters forget it otherwise. */
const REPORT_AGAIN_MS = 30_000;

/** The state of one consumer, for the registry, the metrics, the readiness and the log. */
export class ConsumerStatus implements SubscriptionObserver {
  readonly #logger = new Logger('Consumers');
  #state: ConsumerState = 'starting';
  #since = Date.now();
  #reason: string | undefined;
  #failures = 0;
  #reporting: NodeJS.Timeout | undefined;

  constructor(
    private readonly consumer: Consumer,
    private readonly gauge: ConsumerGauge,
    private readonly progress: ProgressReporter,
  ) {
    gauge.set(this.#state);
  }

  get state(): ConsumerState {
    return this.#state;
  }

  /** Unix time in ms of the last change of the state. */
  get since(): number {
    return this.#since;
  }

  /** Why it waits. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** How often an attempt to start it failed, it lost its broker, or its code failed. */
  get failures(): number {
    return this.#failures;
  }

  inForce(): void {
    const before = this.#state;
    if (before === 'running' || before === 'stopped') return;
    this.#become('running');
    this.#stopReporting();
    const { group, topics, driver } = this.consumer;
    this.#logger.log(`consumer ${group}: running, topics ${topics.join(', ')} on ${driver}`);
  }

  failed(reason: string): void {
    if (this.#state === 'stopped') return;
    const isRepeated = this.#state === 'waiting to restart' && this.#reason === reason;
    this.#failures++;
    this.gauge.countFailure();
    this.#become('waiting to restart', reason);
    const { group, settings } = this.consumer;
    const text = `consumer ${group}: not running, starts again every ${settings.restartDelayMs} ms: ${reason}`;
    if (isRepeated) this.#logger.debug(text);
    else this.#logger.error(text);
    const report = (): void => this.progress.blocked(CAUSE, `it is not running: ${reason}`);
    report();
    clearInterval(this.#reporting);
    this.#reporting = every('state of a consumer', REPORT_AGAIN_MS, report).unref();
  }

  stopped(): void {
    this.#become('stopped');
    this.#stopReporting();
    this.gauge.remove();
  }

  #become(state: ConsumerState, reason?: string): void {
    if (state !== this.#state) this.#since = Date.now();
    this.#state = state;
    this.#reason = reason;
    this.gauge.set(state);
  }

  #stopReporting(): void {
    clearInterval(this.#reporting);
    this.progress.unblocked(CAUSE);
  }
}
