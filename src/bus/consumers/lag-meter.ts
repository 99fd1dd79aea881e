import { Logger } from '@nestjs/common';
import type { Gauge } from 'prom-client';
import { every } from '../../async/index.js';
import type { BusDriver } from '../bus.options.js';
import type { PartitionLag } from '../bus.port.js';
import type { ConsumerRegistry } from './consumer-registry.js';

export interface LagGauges {
  readonly lag: Gauge<'group' | 'driver' | 'topic' | 'partition'>;
  /** The number of partitions that no process reads. */
  readonly unread: Gauge<'group' | 'driver' | 'topic'>;
}

/** A consumer group whose lag can be measured. */
export interface LagSource {
  readonly group: string;
  readonly driver: BusDriver;
  lag(): Promise<readonly PartitionLag[]>;
}

/** Measures the lag of each consumer group regularly, so that a scrape of the metrics does not wait for the brokers. */
export class LagMeter {
  readonly #logger = new Logger('Consumers');
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #sources: LagSource[] = [];
  #measuring: Promise<void> | undefined;

  constructor(
    private readonly registry: Pick<ConsumerRegistry, 'running'>,
    private readonly gauges: LagGauges,
    everyMs: number,
  ) {
    // Unref'd, so that an application whose start failed can exit.
    if (everyMs > 0) this.#timer = every('measurement of the lag', everyMs, () => this.measure()).unref();
  }

  /** Adds a group that does not belong to a module's consumer. */
  watch(source: LagSource): void {
    this.#sources.push(source);
  }

  /** Resolves when the gauge is up to date. Only one measurement runs at a time. */
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
      [...consumers, ...this.#sources].map(async (source) => {
        const { group, driver } = source;
        try {
          return (await source.lag()).map((lag) => ({ group, driver, ...lag }));
        } catch (error) {
          this.#logger.debug(`consumer group ${group}: lag is unknown: ${String(error)}`);
          return [];
        }
      }),
    );
    // Removes the values that could not be measured again.
    const { lag, unread } = this.gauges;
    lag.reset();
    unread.reset();
    for (const { group, driver, topic, partition, records, hasReader } of found.flat()) {
      lag.set({ group, driver, topic, partition: String(partition) }, records);
      if (hasReader !== undefined) unread.inc({ group, driver, topic }, hasReader ? 0 : 1);
    }
  }
}
