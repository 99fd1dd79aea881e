import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';

export const BROKER_UP = 'carillon_broker_up';

export const instruments = [
  makeGaugeProvider({
    name: BROKER_UP,
    help: 'Whether a broker answers this process (1) or not (0).',
    labelNames: ['broker'],
    // Of several processes together: the worst.
    aggregator: 'min',
  }),
];
