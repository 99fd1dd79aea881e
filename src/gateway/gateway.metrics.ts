import { Injectable } from '@nestjs/common';
import {
  InjectMetric,
  makeCounterProvider,
  makeGaugeProvider,
  makeHistogramProvider,
} from '@willsoto/nestjs-prometheus';
import type { Counter, Gauge, Histogram } from 'prom-client';
import type { Publication } from '../delivery/index.js';
import type { Refusal } from './connection/refusals.js';

const CONNECTIONS = 'carillon_gateway_connections';
const CLOSES = 'carillon_gateway_closes_total';
const REFUSALS = 'carillon_gateway_refused_handshakes_total';
const RECEIVED = 'carillon_gateway_messages_received_total';
const DELIVERED = 'carillon_gateway_messages_delivered_total';
const DROPPED = 'carillon_gateway_messages_dropped_total';
const LATENCY = 'carillon_gateway_delivery_latency_seconds';
const LATENESS = 'carillon_gateway_delay_lateness_seconds';

export const gatewayInstruments = [
  makeGaugeProvider({ name: CONNECTIONS, help: 'Open client connections.', labelNames: ['protocol'] }),
  makeCounterProvider({
    name: CLOSES,
    help: 'Connections that ended, by the code of whoever closed first (1006: no code).',
    labelNames: ['code'],
  }),
  makeCounterProvider({
    name: REFUSALS,
    help: 'Handshakes that were turned down, by reason.',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: RECEIVED,
    help: 'Messages from clients, within their rate.',
    labelNames: ['protocol'],
  }),
  makeCounterProvider({ name: DELIVERED, help: 'Messages put on their way to a client.' }),
  makeCounterProvider({
    name: DROPPED,
    help: 'Messages that did not fit the outbox of a slow client, which is closed for it.',
  }),
  makeHistogramProvider({
    name: LATENCY,
    help: 'From the request for a message that is due at once to the first write to a socket on this process.',
    labelNames: ['lane'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  makeHistogramProvider({
    name: LATENESS,
    help: 'From the due time of a delayed message to the first write to a socket on this process.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
  }),
];

@Injectable()
export class GatewayMetrics {
  constructor(
    @InjectMetric(CONNECTIONS) private readonly connections: Gauge<'protocol'>,
    @InjectMetric(CLOSES) private readonly closes: Counter<'code'>,
    @InjectMetric(REFUSALS) private readonly refusals: Counter<'reason'>,
    @InjectMetric(RECEIVED) private readonly messagesReceived: Counter<'protocol'>,
    @InjectMetric(DELIVERED) private readonly messagesDelivered: Counter,
    @InjectMetric(DROPPED) private readonly messagesDropped: Counter,
    @InjectMetric(LATENCY) private readonly latency: Histogram<'lane'>,
    @InjectMetric(LATENESS) private readonly lateness: Histogram,
  ) {}

  opened(protocol: string): void {
    this.connections.inc({ protocol });
  }

  gone(protocol: string): void {
    this.connections.dec({ protocol });
  }

  closed(code: string): void {
    this.closes.inc({ code });
  }

  refused({ code }: Refusal): void {
    this.refusals.inc({ reason: code });
  }

  received(protocol: string): void {
    this.messagesReceived.inc({ protocol });
  }

  delivered(messages: number): void {
    this.messagesDelivered.inc(messages);
  }

  dropped(): void {
    this.messagesDropped.inc();
  }

  /** @param nowMs Unix time at which its first frame was written */
  written({ lane, createdAt, dueAt }: Publication, nowMs: number): void {
    // Clocks of two machines differ a little; a message was not written before it was asked for.
    const seconds = Math.max(0, nowMs - (dueAt ?? createdAt)) / 1000;
    if (dueAt === undefined) this.latency.observe({ lane }, seconds);
    else this.lateness.observe(seconds);
  }
}
