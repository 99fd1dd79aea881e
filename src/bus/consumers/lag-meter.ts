import { Logger } from '@nestjs/common';
import type { Gauge } from 'prom-client';
import type { BusDriver } from '../bus.options.js';
import type { PartitionLag } from '../bus.port.js';
import type { ConsumerRegistry } from './consumer-registry.js';

export type LagGauge = Gauge<'group' | 'driver' | 'topic' | 'partition'>;

/** A group, and how far it is behind. */
export interface LagSource {
  readonly group: string;
  readonly driver: BusDriver;
  lag(): Promise<readonly PartitionLag[]>;
}

/** Asks the brokers now and then how far each group is behind, so that a scrape need not wait for them. */
export class LagMeter {
  readonly #logger = new Logger('Consumers');
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #others: LagSource[] = [];
  #measuring: Promise<void> | undefined;

  constructor(
    private readonly registry: Pick<ConsumerRegistry, 'running'>,
    private readonly gauge: LagGauge,
    everyMs: number,
  ) {
    // An application whose start failed must still be able to end.
    if (everyMs > 0) this.#timer = setInterval(() => void this.measure(), everyMs).unref();
  }

  /** For a group that is no module's consumer. */
  watch(source: LagSource): void {
    this.#others.push(source);
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
    const consumers = [...this.registry.running()].map((running): LagSource => {
      const { group, driver } = running.consumer;
      return { group, driver, lag: () => running.lag() };
    });
    const found = await Promise.all(
      [...consumers, ...this.#others].map(async (source) => {
        const { group, driver } = source;
        try {
          return (await source.lag()).map((lag) => ({ group, driver, ...lag }));
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
