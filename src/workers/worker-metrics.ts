import { setTimeout as delay } from 'node:timers/promises';
import { AggregatorRegistry, register, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import { Logger } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import { Exposition } from '../metrics/index.js';

/** Names of what the primary serves and of what a worker does. */
const COLLECTED = 'collected-metrics';
const OWN = 'own-metrics';

/** How long a worker is waited for, in ms. One that stands still must not make the others blind. */
const PATIENCE_MS = 1_000;

type Metrics = MetricObjectWithValues<MetricValue<string>>[];

/**
 * The metrics of the primary and all workers as those of one process: counters and histograms added up. What has been told
 * of a counter does not go down again, also when the worker dies: Prometheus would take it for a restart and count all the
 * others a second time.
 */
export class WorkerMetrics {
  readonly #logger = new Logger(WorkerMetrics.name);
  /** Each with what it told last. */
  readonly #links = new Map<Link, Metrics>();
  /** What workers that are gone had counted when they told it last. */
  #departed: Metrics = [];

  serve(link: Link): void {
    this.#links.set(link, []);
    link.onEnd(() => void this.#bury(link));
    link.serve(COLLECTED, { read: () => this.#read() });
  }

  async #read(): Promise<string> {
    await Promise.all([...this.#links.keys()].map((link) => this.#ask(link)));
    const own = await register.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([own, this.#departed, ...this.#links.values()]).metrics();
  }

  async #ask(link: Link): Promise<void> {
    const late = new AbortController();
    try {
      const told = await Promise.race([
        link.call<Metrics>(OWN, 'read'),
        delay(PATIENCE_MS, undefined, { signal: late.signal }),
      ]);
      if (told !== undefined && this.#links.has(link)) this.#links.set(link, told);
    } catch {
      // One that starts has nothing to tell yet, one that ended has nothing more.
      this.#logger.debug('a worker did not tell its metrics');
    } finally {
      late.abort();
    }
  }

  async #bury(link: Link): Promise<void> {
    const counted = (this.#links.get(link) ?? []).filter(isCount);
    this.#links.delete(link);
    this.#departed = await AggregatorRegistry.aggregate([this.#departed, counted]).getMetricsAsJSON();
  }
}

/** What only grows, and is added up. */
function isCount({ type, aggregator }: Metrics[number]): boolean {
  return aggregator === 'sum' && COUNTS.has(String(type));
}

const COUNTS: ReadonlySet<string> = new Set(['counter', 'histogram']);

/** What a worker answers to Prometheus, whichever of them is asked. */
export class CollectedExposition implements Exposition {
  constructor(private readonly link: Link) {
    link.serve(OWN, { read: () => register.getMetricsAsJSON() });
  }

  read(): Promise<string> {
    return this.link.call(COLLECTED, 'read');
  }
}
