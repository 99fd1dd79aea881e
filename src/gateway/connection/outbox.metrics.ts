import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import { Connections } from './connections.js';

/** Summed up when the metrics are read, because keeping a total would cost something for every frame. */
export const outboxInstrument = makeGaugeProvider({
  name: 'carillon_gateway_outbox_bytes',
  help: 'Bytes that wait to be sent to clients of this process.',
  inject: [Connections],
  collect(this: Gauge, connections: Connections) {
    this.set(connections.outboxBytes);
  },
});
