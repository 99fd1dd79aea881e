import { randomUUID } from 'node:crypto';
import { BrokerUnavailableError, type Bus } from '../../../src/bus/index.js';
import { timeTaken } from '../../support/time-taken.js';

/** Publishes one record after another until it is stopped, even if some of them fail. */
export class PublishedStream {
  readonly acknowledged: string[] = [];
  /** Errors other than `BrokerUnavailableError`. */
  readonly unexpectedErrors: unknown[] = [];
  slowestFailureMs = 0;
  #failures = 0;
  #stopped = false;
  readonly #settled = new Set<() => void>();
  readonly #done: Promise<void>;

  constructor(
    private readonly bus: Bus,
    private readonly topic: string,
  ) {
    this.#done = this.#run();
  }

  /** Resolves when so many more records were acknowledged. */
  async acknowledges(more: number): Promise<void> {
    const goal = this.acknowledged.length + more;
    while (this.acknowledged.length < goal) await this.#nextOutcome();
  }

  /** Resolves when two more records were refused. */
  async fails(): Promise<void> {
    const before = this.#failures;
    while (this.#failures < before + 2) await this.#nextOutcome();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let index = 0; !this.#stopped; index++) {
      const body = `${this.topic}-${index}-${randomUUID()}`;
      const record = { key: String(index % 10), value: Buffer.from(body) };
      let failure: unknown;
      const tookMs = await timeTaken(() =>
        this.bus.publish(this.topic, [record]).catch((error: unknown) => (failure = error)),
      );
      if (failure === undefined) {
        this.acknowledged.push(body);
      } else {
        if (!(failure instanceof BrokerUnavailableError)) this.unexpectedErrors.push(failure);
        this.#failures++;
        this.slowestFailureMs = Math.max(this.slowestFailureMs, tookMs);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      for (const settle of this.#settled) settle();
      this.#settled.clear();
    }
  }

  #nextOutcome(): Promise<void> {
    return new Promise((resolve) => this.#settled.add(resolve));
  }
}
