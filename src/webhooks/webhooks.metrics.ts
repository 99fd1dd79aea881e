import { Injectable } from '@nestjs/common';
import {
  InjectMetric,
  makeCounterProvider,
  makeGaugeProvider,
  makeHistogramProvider,
} from '@willsoto/nestjs-prometheus';
import type { Counter, Gauge, Histogram } from 'prom-client';
import type { CallResult } from './webhooks.errors.js';

const CALLS = 'carillon_webhooks_calls_total';
const DURATION = 'carillon_webhooks_call_duration_seconds';
const PENDING = 'carillon_webhooks_calls_pending';
const RETRIES = 'carillon_webhooks_retries_total';
const SUSPENDED = 'carillon_webhooks_breaker_open';
const CONNECTIONS = 'carillon_webhooks_connections';

export const webhooksInstruments = [
  makeCounterProvider({
    name: CALLS,
    help: 'Calls to backends, by target and result.',
    labelNames: ['target', 'result'],
  }),
  makeHistogramProvider({
    name: DURATION,
    help: 'Time from a call to its response or failure, in seconds. Calls that were refused at once are not counted.',
    labelNames: ['target'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  makeGaugeProvider({
    name: PENDING,
    help: 'Calls that run or wait for a connection.',
    labelNames: ['target'],
  }),
  makeCounterProvider({
    name: RETRIES,
    help: 'Attempts that were repeated, because nothing had been sent.',
    labelNames: ['target'],
  }),
  makeGaugeProvider({
    name: SUSPENDED,
    help: '1 while no calls are made to the target, because too many failed; otherwise 0.',
    labelNames: ['target'],
  }),
  makeGaugeProvider({ name: CONNECTIONS, help: 'Open connections to backends.' }),
];

@Injectable()
export class WebhooksMetrics {
  constructor(
    @InjectMetric(CALLS) private readonly calls: Counter<'target' | 'result'>,
    @InjectMetric(DURATION) private readonly duration: Histogram<'target'>,
    @InjectMetric(PENDING) private readonly pending: Gauge<'target'>,
    @InjectMetric(RETRIES) private readonly retries: Counter<'target'>,
    @InjectMetric(SUSPENDED) private readonly suspended: Gauge<'target'>,
    @InjectMetric(CONNECTIONS) private readonly connections: Gauge,
  ) {}

  /** Returns the instruments of one target. The names of targets come from the configuration, so that there are few. */
  of(target: string): TargetMetrics {
    const duration = this.duration.labels({ target });
    const pending = this.pending.labels({ target });
    const suspended = this.suspended.labels({ target });
    suspended.set(0);
    return {
      started: () => pending.inc(),
      ended: (result, seconds) => {
        pending.dec();
        duration.observe(seconds);
        this.calls.inc({ target, result });
      },
      refused: (result) => this.calls.inc({ target, result }),
      retried: () => this.retries.inc({ target }),
      suspended: (isSuspended) => suspended.set(isSuspended ? 1 : 0),
    };
  }

  connected(change: 1 | -1): void {
    this.connections.inc(change);
  }
}

export interface TargetMetrics {
  started(): void;
  ended(result: CallResult, seconds: number): void;
  /** A call was not made. */
  refused(result: CallResult): void;
  retried(): void;
  suspended(isSuspended: boolean): void;
}
