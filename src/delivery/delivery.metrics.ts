import { Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { LANES, type Lane } from './publications/publication.js';

/**
 * What became of a message on this process. `duplicate` was seen before, `no_subscriber` had nobody here (another
 * process may have), `expired` came too late.
 */
export type Outcome = 'delivered' | 'no_subscriber' | 'duplicate' | 'expired';

const MESSAGES = 'carillon_delivery_messages_total';
const PUBLISH_ERRORS = 'carillon_fanout_publish_errors_total';
const SUBSCRIBER_FAULTS = 'carillon_delivery_subscriber_faults_total';
const DEDUPLICATION_SHORTENED = 'carillon_deduplication_shortened_total';

export const deliveryInstruments = [
  makeCounterProvider({
    name: MESSAGES,
    help: 'Messages that reached this process, by lane and by what became of them here.',
    labelNames: ['lane', 'outcome'],
  }),
  makeCounterProvider({
    name: PUBLISH_ERRORS,
    help: 'Messages that the fan-out did not take.',
    labelNames: ['lane'],
  }),
  makeCounterProvider({
    name: SUBSCRIBER_FAULTS,
    help: 'Subscribers that threw while they received.',
  }),
  makeCounterProvider({
    name: DEDUPLICATION_SHORTENED,
    help: 'Times that message ids were forgotten before the window ended, because there were too many.',
  }),
];

/** The instruments with their labels bound beforehand: a counter on the hot path costs one addition. */
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
