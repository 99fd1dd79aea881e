import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import { Connections } from './connections.js';

/** Added up when it is asked for: kept up to date, it would cost something for every frame. */
export const outboxInstrument = makeGaugeProvider({
  name: 'carillon_gateway_outbox_bytes',
  help: 'Bytes that wait for clients of this process.',
  inject: [Connections],
  collect(this: Gauge, connections: Connections) {
    this.set(connections.outboxBytes);
  },
});
