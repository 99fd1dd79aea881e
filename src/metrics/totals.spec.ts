import { beforeEach, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, register } from 'prom-client';
import { totals } from './totals.js';

beforeEach(() => register.clear());

it('adds up the labels of a metric, without metrics of Node.js and histograms', async () => {
  const sent = new Counter({ name: 'carillon_sent_total', help: 'h', labelNames: ['lane'] });
  sent.inc({ lane: 'direct' }, 2);
  sent.inc({ lane: 'instant' }, 3);
  const lag = new Gauge({ name: 'messagebus_lag', help: 'h' });
  lag.set(7);
  new Histogram({ name: 'carillon_latency_seconds', help: 'h' }).observe(1);
  new Counter({ name: 'process_cpu_seconds_total', help: 'h' }).inc();
  expect(await totals()).toEqual({ carillon_sent_total: 5, messagebus_lag: 7 });
});
