import { AggregatorRegistry, register, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import { Logger } from '@nestjs/common';
import { inBackground, settlesWithin } from '../async/index.js';
import type { Link } from '../ipc/index.js';
import { Exposition } from '../metrics/index.js';

/** The names of the ports that the primary and each worker serve. */
const AGGREGATED = 'aggregated-metrics';
const OWN = 'own-metrics';

/** How long a scrape waits for a worker, in ms. One that is stopped must not hide the metrics of the others. */
const WORKER_TIMEOUT_MS = 1_000;

type Metrics = MetricObjectWithValues<MetricValue<string>>[];

/**
 * The metrics of the primary and of all workers, as those of one process: counters and histograms are added up. A counter that was
 * reported never decreases, even when its worker dies, because Prometheus would take that for a restart and count everything else
 * a second time.
 */
export class WorkerMetrics {
  readonly #logger = new Logger(WorkerMetrics.name);
  /** The link of each worker, with the metrics that it reported last. */
  readonly #links = new Map<Link, Metrics>();
  /** The counters that workers had reported before they ended. */
  #departed: Metrics = [];

  serve(link: Link): void {
    this.#links.set(link, []);
    link.onEnd(() => inBackground('metrics of a worker that ended', () => this.#remove(link)));
    link.serve(AGGREGATED, { read: () => this.#read() });
  }

  async #read(): Promise<string> {
    await Promise.all([...this.#links.keys()].map((link) => this.#update(link)));
    const own = await register.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([own, this.#departed, ...this.#links.values()]).metrics();
  }

  async #update(link: Link): Promise<void> {
    try {
      if (await settlesWithin(WORKER_TIMEOUT_MS, this.#fetch(link))) return;
      this.#logger.debug(`a worker did not report its metrics within ${WORKER_TIMEOUT_MS} ms`);
    } catch (error) {
      // A worker that is starting serves none yet; one that has ended serves none any more.
      this.#logger.debug(`a worker did not report its metrics: ${String(error)}`);
    }
  }

  async #fetch(link: Link): Promise<void> {
    const metrics = await link.call<Metrics>(OWN, 'read');
    if (this.#links.has(link)) this.#links.set(link, metrics);
  }

  async #remove(link: Link): Promise<void> {
    const counters = (this.#links.get(link) ?? []).filter(isCounter);
    this.#links.delete(link);
    this.#departed = await AggregatorRegistry.aggregate([this.#departed, counters]).getMetricsAsJSON();
  }
}

const COUNTER_TYPES: ReadonlySet<string> = new Set(['counter', 'histogram']);

/** Whether a metric only increases and is added up. */
function isCounter({ type, aggregator }: Metrics[number]): boolean {
  return aggregator === 'sum' && COUNTER_TYPES.has(String(type));
}

/** Serves the metrics of all processes to Prometheus, whichever worker it reaches. */
export class AggregatedExposition implements Exposition {
  constructor(private readonly link: Link) {
    link.serve(OWN, { read: () => register.getMetricsAsJSON() });
  }

  read(): Promise<string> {
    return this.link.call(AGGREGATED, 'read');
  }
}
