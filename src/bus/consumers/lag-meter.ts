import { Logger } from '@nestjs/common';
import type { Gauge } from 'prom-client';
import type { ConsumerRegistry } from './consumer-registry.js';

export type LagGauge = Gauge<'group' | 'driver' | 'topic' | 'partition'>;

/** Asks the brokers now and then how far each group is behind, so that a scrape need not wait for them. */
export class LagMeter {
  readonly #logger = new Logger('Consumers');
  readonly #timer: NodeJS.Timeout | undefined;
  #measuring: Promise<void> | undefined;

  constructor(
    private readonly registry: ConsumerRegistry,
    private readonly gauge: LagGauge,
    everyMs: number,
  ) {
    // An application whose start failed must still be able to end.
    if (everyMs > 0) this.#timer = setInterval(() => void this.measure(), everyMs).unref();
  }

  /** Resolves when the gauge shows what the brokers told. One measurement is under way at a time. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined));
    return this.#measuring;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #measure(): Promise<void> {
    const found = await Promise.all(
      [...this.registry.running()].map(async (running) => {
        const { group, driver } = running.consumer;
        try {
          return (await running.lag()).map((lag) => ({ group, driver, ...lag }));
        } catch (error) {
          this.#logger.debug(`the lag of ${group} is unknown: ${String(error)}`);
          return [];
        }
      }),
    );
    // What is not known any more must not look as it did.
    this.gauge.reset();
    for (const { group, driver, topic, partition, records } of found.flat())
      this.gauge.set({ group, driver, topic, partition: String(partition) }, records);
  }
}
