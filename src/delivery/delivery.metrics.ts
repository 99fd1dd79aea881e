import { Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import type { Counter, Histogram } from 'prom-client';
import { LANES, type Lane } from './publications/publication.js';

/**
 * The outcome of a message on this process. `duplicate`: it was received before. `no_subscriber`: its channel has no
 * subscriber here, but it may have some on another process. `expired`: it arrived too late.
 */
export type Outcome = 'delivered' | 'no_subscriber' | 'duplicate' | 'expired';

const MESSAGES = 'carillon_delivery_messages_total';
const PUBLISH_ERRORS = 'carillon_fanout_publish_errors_total';
const PROBE_SECONDS = 'carillon_fanout_probe_seconds';
const LOST_PROBES = 'carillon_fanout_probes_lost_total';
const SUBSCRIBER_FAULTS = 'carillon_delivery_subscriber_faults_total';
const CLEANUPS = 'carillon_connection_cleanups_total';
const DEDUPLICATION_SHORTENED = 'carillon_deduplication_shortened_total';

export const deliveryInstruments = [
  makeCounterProvider({
    name: MESSAGES,
    help: 'Messages that reached this process, by lane and by their outcome here.',
    labelNames: ['lane', 'outcome'],
  }),
  makeCounterProvider({
    name: PUBLISH_ERRORS,
    help: 'Messages that the fan-out rejected.',
    labelNames: ['lane'],
  }),
  makeHistogramProvider({
    name: PROBE_SECONDS,
    help: 'Time from publishing a probe through the fan-out until it arrives at the same process. Redis only.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  makeCounterProvider({
    name: LOST_PROBES,
    help: 'Probes that did not arrive in time, after each of which this process connected to Redis again.',
  }),
  makeCounterProvider({
    name: SUBSCRIBER_FAULTS,
    help: 'Errors that subscribers threw while they received a publication.',
  }),
  makeCounterProvider({
    name: CLEANUPS,
    help: 'Cleanups of registered connections, by result, and by whether the connection was one of a node that died.',
    labelNames: ['result', 'orphan'],
  }),
  makeCounterProvider({
    name: DEDUPLICATION_SHORTENED,
    help: 'How often message ids were dropped before the end of the window because there were too many.',
  }),
];

/** The metrics with their labels bound in advance, so that a counter on the hot path costs one addition. */
@Injectable()
export class DeliveryMetrics {
  readonly delivered: CounterByLane;
  readonly noSubscriber: CounterByLane;
  readonly duplicate: CounterByLane;
  readonly expired: CounterByLane;
  readonly publishErrors: CounterByLane;

  constructor(
    @InjectMetric(MESSAGES) messages: Counter<'lane' | 'outcome'>,
    @InjectMetric(PUBLISH_ERRORS) publishErrors: Counter<'lane'>,
    @InjectMetric(SUBSCRIBER_FAULTS) readonly subscriberFaults: Counter,
    @InjectMetric(DEDUPLICATION_SHORTENED) readonly deduplicationShortened: Counter,
    @InjectMetric(PROBE_SECONDS) readonly probeSeconds: Histogram,
    @InjectMetric(LOST_PROBES) readonly lostProbes: Counter,
    @InjectMetric(CLEANUPS) readonly cleanups: Counter<'result' | 'orphan'>,
  ) {
    const of = (outcome: Outcome) => byLane((lane) => messages.labels({ lane, outcome }));
    this.delivered = of('delivered');
    this.noSubscriber = of('no_subscriber');
    this.duplicate = of('duplicate');
    this.expired = of('expired');
    this.publishErrors = byLane((lane) => publishErrors.labels({ lane }));
  }
}

type CounterByLane = Readonly<Record<Lane, Counter.Internal>>;

function byLane(counter: (lane: Lane) => Counter.Internal): CounterByLane {
  return Object.fromEntries(LANES.map((lane) => [lane, counter(lane)])) as CounterByLane;
}
