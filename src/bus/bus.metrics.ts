import { Injectable } from '@nestjs/common';
import {
  InjectMetric,
  makeCounterProvider,
  makeGaugeProvider,
  makeHistogramProvider,
} from '@willsoto/nestjs-prometheus';
import type { Counter, Gauge, Histogram } from 'prom-client';
import type { DeadLetterUsage } from './retries/retry-store.port.js';
import type { Consumer } from './consumers/consumer.js';
import { type ConsumerState, consumerStates } from './consumers/consumer-state.js';

const JOB_DELAY = 'messagebus_job_delay';
const JOB_COST = 'messagebus_job_cost';
const RETRIES = 'messagebus_retries_total';
const DEAD_LETTERS = 'messagebus_dead_letters_total';
const REBALANCES = 'messagebus_rebalances_total';
const LAG = 'messagebus_lag';
const UNREAD = 'messagebus_partitions_unread';
const STORED_DEAD_LETTERS = 'messagebus_dead_letters_stored';
const STORED_BYTES = 'messagebus_dead_letters_stored_bytes';
const DROPPED = 'messagebus_dead_letters_dropped';
const STATE = 'messagebus_consumer_state';
const FAILURES = 'messagebus_consumer_failures_total';

const job = ['module', 'consumer', 'event', 'driver'] as const;
type JobLabel = (typeof job)[number];
const ofConsumer = ['module', 'consumer', 'driver'] as const;
type ConsumerLabel = (typeof ofConsumer)[number];

export const busInstruments = [
  makeHistogramProvider({
    name: JOB_DELAY,
    help: 'Seconds from the emission of an event to the first call of its handler.',
    labelNames: job,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
  }),
  makeHistogramProvider({
    name: JOB_COST,
    help: 'Duration of handler calls in seconds, including failures and time-outs. A batch counts once for each event name in it.',
    labelNames: job,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  }),
  makeCounterProvider({ name: RETRIES, help: 'Number of retries of failed events.', labelNames: job }),
  makeCounterProvider({
    name: DEAD_LETTERS,
    help: 'Number of events that became dead letters.',
    labelNames: job,
  }),
  makeCounterProvider({
    name: REBALANCES,
    help: 'Number of rebalances of a consumer group while this process was a member.',
    labelNames: ['group', 'driver'],
  }),
  makeGaugeProvider({
    name: LAG,
    help: 'Number of records of a partition that a consumer group has not acknowledged.',
    labelNames: ['group', 'driver', 'topic', 'partition'],
  }),
  // Every process sees the readers of all.
  makeGaugeProvider({
    name: UNREAD,
    help: 'Number of partitions of a topic that no process of a consumer group reads.',
    labelNames: ['group', 'driver', 'topic'],
    aggregator: 'max',
  }),
  // Worker processes share the store.
  makeGaugeProvider({
    name: STORED_DEAD_LETTERS,
    help: 'Number of dead letters in the retry store.',
    aggregator: 'max',
  }),
  makeGaugeProvider({
    name: STORED_BYTES,
    help: 'Bytes of the dead letters in the retry store.',
    aggregator: 'max',
  }),
  makeGaugeProvider({
    name: DROPPED,
    help: 'Number of dead letters that the retry store has dropped because of its limits.',
    aggregator: 'max',
  }),
  makeGaugeProvider({
    name: STATE,
    help: 'Whether a consumer is in the state (1) or not (0). With several worker processes, the number of them in which it is.',
    labelNames: [...ofConsumer, 'state'],
  }),
  makeCounterProvider({
    name: FAILURES,
    help: 'How often a consumer could not be started, lost its broker, or was restarted because its code failed.',
    labelNames: ofConsumer,
  }),
];

/** Limits the number of time series: producers choose the names of events, and each name creates four series. */
const MAX_EVENT_NAMES = 100;
const OTHER = 'other';

interface Meters {
  readonly delay: Histogram.Internal<JobLabel>;
  readonly cost: Histogram.Internal<JobLabel>;
  readonly retries: Counter.Internal;
  readonly deadLetters: Counter.Internal;
}

/** The instruments of one consumer, with their labels bound, by the name of the event. */
export interface ConsumerMeters {
  of(event: string): Meters;
}

/** The state of one consumer in the metrics. */
export interface ConsumerGauge {
  set(state: ConsumerState): void;
  countFailure(): void;
  remove(): void;
}

@Injectable()
export class BusMetrics {
  constructor(
    @InjectMetric(JOB_DELAY) private readonly delay: Histogram<JobLabel>,
    @InjectMetric(JOB_COST) private readonly cost: Histogram<JobLabel>,
    @InjectMetric(RETRIES) private readonly retries: Counter<JobLabel>,
    @InjectMetric(DEAD_LETTERS) private readonly deadLetters: Counter<JobLabel>,
    @InjectMetric(REBALANCES) private readonly rebalances: Counter<'group' | 'driver'>,
    @InjectMetric(LAG) readonly lag: Gauge<'group' | 'driver' | 'topic' | 'partition'>,
    @InjectMetric(UNREAD) readonly unread: Gauge<'group' | 'driver' | 'topic'>,
    @InjectMetric(STORED_DEAD_LETTERS) private readonly storedDeadLetters: Gauge,
    @InjectMetric(STORED_BYTES) private readonly storedBytes: Gauge,
    @InjectMetric(DROPPED) private readonly dropped: Gauge,
    @InjectMetric(STATE) private readonly state: Gauge<ConsumerLabel | 'state'>,
    @InjectMetric(FAILURES) private readonly failures: Counter<ConsumerLabel>,
  ) {}

  setDeadLetters({ deadLetters, bytes, dropped }: DeadLetterUsage): void {
    this.storedDeadLetters.set(deadLetters);
    this.storedBytes.set(bytes);
    this.dropped.set(dropped);
  }

  gaugeOf({ module, consumer, driver }: Consumer): ConsumerGauge {
    const labels = { module, consumer, driver };
    const failures = this.failures.labels(labels);
    return {
      set: (current) => {
        for (const state of consumerStates) this.state.set({ ...labels, state }, state === current ? 1 : 0);
      },
      countFailure: () => failures.inc(),
      remove: () => {
        for (const state of consumerStates) this.state.remove({ ...labels, state });
      },
    };
  }

  metersOf({ module, consumer, driver }: Consumer): ConsumerMeters {
    const byEvent = new Map<string, Meters>();
    const bound = (event: string): Meters => {
      const labels = { module, consumer, event, driver };
      return {
        delay: this.delay.labels(labels),
        cost: this.cost.labels(labels),
        retries: this.retries.labels(labels),
        deadLetters: this.deadLetters.labels(labels),
      };
    };
    return {
      of(event) {
        const known = byEvent.get(event);
        if (known !== undefined) return known;
        if (byEvent.size >= MAX_EVENT_NAMES && event !== OTHER) return this.of(OTHER);
        const meters = bound(event);
        byEvent.set(event, meters);
        return meters;
      },
    };
  }

  countRebalance({ group, driver }: Consumer): void {
    this.rebalances.inc({ group, driver });
  }
}
