import { makeCounterProvider, makeGaugeProvider } from '@willsoto/nestjs-prometheus';

export const BROKER_UP = 'carillon_broker_up';
export const BACKGROUND_FAILURES = 'carillon_background_failures_total';

export const instruments = [
  makeGaugeProvider({
    name: BROKER_UP,
    help: 'Whether this process can reach the broker (1) or not (0).',
    labelNames: ['broker'],
    // For several processes, the worst state counts.
    aggregator: 'min',
  }),
  makeCounterProvider({
    name: BACKGROUND_FAILURES,
    help: 'Failures of background tasks, by task. The process continues after them.',
    labelNames: ['task'],
  }),
];
