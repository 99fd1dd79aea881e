import { duplexPair } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, register, Registry } from 'prom-client';
import { Link } from '../ipc/index.js';
import { WorkerMetrics } from './worker-metrics.js';

/** A worker with its own metrics. */
class Worker {
  readonly #registry = new Registry();
  readonly #things = new Counter({ ...named('things_total'), labelNames: ['kind'] });
  readonly #open = new Gauge(named('open'));
  readonly #seconds = new Histogram({ ...named('seconds'), buckets: [1] });
  readonly link: Link;
  isStopped = false;

  constructor(metrics: WorkerMetrics) {
    for (const each of [this.#things, this.#open, this.#seconds]) this.#registry.registerMetric(each);
    const [one, other] = duplexPair();
    metrics.serve(new Link(other));
    this.link = new Link(one);
    this.link.serve('own-metrics', {
      read: () => (this.isStopped ? new Promise(() => {}) : this.#registry.getMetricsAsJSON()),
    });
  }

  counts(things: number): this {
    this.#things.inc({ kind: 'a' }, things);
    this.#seconds.observe(0.5);
    this.#open.set(things);
    return this;
  }

  /** Returns the numbers that a scrape of this worker shows. */
  async scrape(): Promise<Record<string, number>> {
    const text = await this.link.call<string>('aggregated-metrics', 'read');
    const lines = text.matchAll(/^(things_total\{kind="a"\}|open|seconds_count) (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, name = '', value]) => [name, Number(value)]));
  }
}

function named(name: string) {
  return { name, help: name, registers: [] };
}

describe('WorkerMetrics', () => {
  let metrics: WorkerMetrics;
  let workers: [Worker, Worker];

  beforeEach(() => {
    register.clear();
    metrics = new WorkerMetrics();
    workers = [new Worker(metrics).counts(3), new Worker(metrics).counts(4)];
  });

  it('adds up the metrics of all workers', async () => {
    expect(await workers[0].scrape()).toEqual({ 'things_total{kind="a"}': 7, open: 7, seconds_count: 2 });
  });

  it('keeps the counters of a worker that ends, and drops its gauges', async () => {
    const [here, ending] = workers;
    await here.scrape();
    ending.link.close();
    const ended = Promise.withResolvers<void>();
    ending.link.onEnd(ended.resolve);
    await ended.promise;
    const expected = { 'things_total{kind="a"}': 7, open: 3, seconds_count: 2 };
    expect(await here.scrape()).toEqual(expected);
    const successor = new Worker(metrics).counts(1);
    expect(await successor.scrape()).toEqual({ 'things_total{kind="a"}': 8, open: 4, seconds_count: 3 });
  });

  it('uses the last report of a worker that is stopped', async () => {
    const [here, stopped] = workers;
    await here.scrape();
    stopped.isStopped = true;
    here.counts(2);
    expect(await here.scrape()).toEqual({ 'things_total{kind="a"}': 9, open: 6, seconds_count: 3 });
  });
});
