import { AggregatorRegistry, register, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import { Logger } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import { Exposition } from '../metrics/index.js';

/** Names of what the primary serves and of what a worker does. */
const COLLECTED = 'collected-metrics';
const OWN = 'own-metrics';

type Metrics = MetricObjectWithValues<MetricValue<string>>[];

/** The metrics of the primary and all workers as those of one process: counters and histograms added up. */
export class WorkerMetrics {
  readonly #logger = new Logger(WorkerMetrics.name);
  readonly #links = new Set<Link>();

  serve(link: Link): void {
    this.#links.add(link);
    link.onEnd(() => this.#links.delete(link));
    link.serve(COLLECTED, { read: () => this.#read() });
  }

  async #read(): Promise<string> {
    const others = await Promise.allSettled([...this.#links].map((link) => link.call<Metrics>(OWN, 'read')));
    const answered = others.filter((other) => other.status === 'fulfilled').map(({ value }) => value);
    // One that starts has nothing to tell yet, one that ended has nothing more.
    if (answered.length < others.length) this.#logger.debug('a worker did not tell its metrics');
    return AggregatorRegistry.aggregate([await register.getMetricsAsJSON(), ...answered]).metrics();
  }
}

/** What a worker answers to Prometheus, whichever of them is asked. */
export class CollectedExposition implements Exposition {
  constructor(private readonly link: Link) {
    link.serve(OWN, { read: () => register.getMetricsAsJSON() });
  }

  read(): Promise<string> {
    return this.link.call(COLLECTED, 'read');
  }
}
