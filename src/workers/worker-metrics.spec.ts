import { duplexPair } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, register, Registry } from 'prom-client';
import { Link } from '../ipc/index.js';
import { WorkerMetrics } from './worker-metrics.js';

/** A worker with metrics of its own. */
class Worker {
  readonly #registry = new Registry();
  readonly #things = new Counter({ ...named('things_total'), labelNames: ['kind'] });
  readonly #open = new Gauge(named('open'));
  readonly #seconds = new Histogram({ ...named('seconds'), buckets: [1] });
  readonly link: Link;
  isStill = false;

  constructor(metrics: WorkerMetrics) {
    for (const each of [this.#things, this.#open, this.#seconds]) this.#registry.registerMetric(each);
    const [one, other] = duplexPair();
    metrics.serve(new Link(other));
    this.link = new Link(one);
    this.link.serve('own-metrics', {
      read: () => (this.isStill ? new Promise(() => {}) : this.#registry.getMetricsAsJSON()),
    });
  }

  counts(things: number): this {
    this.#things.inc({ kind: 'a' }, things);
    this.#seconds.observe(0.5);
    this.#open.set(things);
    return this;
  }

  /** The numbers that a scrape by this worker shows. */
  async scrape(): Promise<Record<string, number>> {
    const text = await this.link.call<string>('collected-metrics', 'read');
    const lines = text.matchAll(/^(things_total\{kind="a"\}|open|seconds_count) (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, name = '', value]) => [name, Number(value)]));
  }
}

function named(name: string) {
  return { name, help: name, registers: [] };
}

describe('the metrics of workers', () => {
  let metrics: WorkerMetrics;
  let workers: [Worker, Worker];

  beforeEach(() => {
    register.clear();
    metrics = new WorkerMetrics();
    workers = [new Worker(metrics).counts(3), new Worker(metrics).counts(4)];
  });

  it('are added up', async () => {
    expect(await workers[0].scrape()).toEqual({ 'things_total{kind="a"}': 7, open: 7, seconds_count: 2 });
  });

  it('do not go down when a worker dies, but for what it has no more', async () => {
    const [here, victim] = workers;
    await here.scrape();
    victim.link.close();
    const ended = Promise.withResolvers<void>();
    victim.link.onEnd(ended.resolve);
    await ended.promise;
    const expected = { 'things_total{kind="a"}': 7, open: 3, seconds_count: 2 };
    expect(await here.scrape()).toEqual(expected);
    const successor = new Worker(metrics).counts(1);
    expect(await successor.scrape()).toEqual({ 'things_total{kind="a"}': 8, open: 4, seconds_count: 3 });
  });

  it('are told while a worker stands still, with what it told last', async () => {
    const [here, still] = workers;
    await here.scrape();
    still.isStill = true;
    here.counts(2);
    expect(await here.scrape()).toEqual({ 'things_total{kind="a"}': 9, open: 6, seconds_count: 3 });
  });
});
