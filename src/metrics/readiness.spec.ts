import { beforeEach, describe, expect, it } from '@jest/globals';
import { Gauge, Registry } from 'prom-client';
import { Readiness } from './readiness.js';

describe('Readiness', () => {
  let gauge: Gauge<'broker'>;
  let readiness: Readiness;

  beforeEach(() => {
    gauge = new Gauge({ name: 'up', help: 'up', labelNames: ['broker'], registers: [new Registry()] });
    readiness = new Readiness(gauge);
  });

  it('is not ready until the process serves', () => {
    expect(readiness.report()).toEqual({ ready: false, phase: 'starting', brokers: {} });
    readiness.serving();
    expect(readiness.report().ready).toBe(true);
  });

  it('follows every broker, and reports which one is down and why', async () => {
    readiness.serving();
    const kafka = readiness.broker('kafka');
    readiness.broker('redis').up();
    expect(readiness.report().ready).toBe(false);
    kafka.up();
    expect(readiness.report().ready).toBe(true);
    kafka.down('connection refused');
    expect(readiness.report()).toMatchObject({
      ready: false,
      brokers: { kafka: { state: 'down', reason: 'connection refused' }, redis: { state: 'up' } },
    });
    expect((await gauge.get()).values.map(({ labels, value }) => [labels.broker, value])).toEqual([
      ['kafka', 0],
      ['redis', 1],
    ]);
  });

  it('is not ready once the process stops', () => {
    readiness.serving();
    readiness.stopping();
    expect(readiness.report().ready).toBe(false);
  });
});
