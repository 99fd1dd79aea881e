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
const REFUSED_ATTEMPTS = 'carillon_gateway_refused_attempts_total';
const RECEIVED = 'carillon_gateway_messages_received_total';
const DELIVERED = 'carillon_gateway_messages_delivered_total';
const DROPPED = 'carillon_gateway_messages_dropped_total';
const UNENCODABLE = 'carillon_gateway_messages_unencodable_total';
const SLOW = 'carillon_gateway_slow_clients_total';
const LATENCY = 'carillon_gateway_delivery_latency_seconds';
const LATENESS = 'carillon_gateway_delay_lateness_seconds';

export const gatewayInstruments = [
  makeGaugeProvider({ name: CONNECTIONS, help: 'Open client connections.', labelNames: ['protocol'] }),
  makeCounterProvider({
    name: CLOSES,
    help: 'Connections that ended, by close code. The code is that of the side that closed first; 1006 means that the connection ended without one.',
    labelNames: ['code'],
  }),
  makeCounterProvider({
    name: REFUSALS,
    help: 'Refused handshakes, by the code of the refusal.',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: REFUSED_ATTEMPTS,
    help: 'Attempts of clients to connect, subscribe, publish and so on that were refused, by step and reason.',
    labelNames: ['step', 'reason'],
  }),
  makeCounterProvider({
    name: RECEIVED,
    help: 'Messages received from clients, without those beyond the rate limit.',
    labelNames: ['protocol'],
  }),
  makeCounterProvider({
    name: DELIVERED,
    help: 'Messages queued for delivery to a client; one message to ten clients counts ten times.',
  }),
  makeCounterProvider({
    name: DROPPED,
    help: 'Messages that did not fit into the outbox of a slow client, which is closed for that reason.',
  }),
  makeCounterProvider({
    name: UNENCODABLE,
    help: 'Messages that were dropped for a client, or left out of an answer to it, because its protocol cannot carry them, such as bytes in JSON.',
    labelNames: ['protocol'],
  }),
  makeCounterProvider({
    name: SLOW,
    help: 'Clients closed as slow: outbox means that their own outbox was full, process that too many bytes waited for all clients together.',
    labelNames: ['limit'],
  }),
  makeHistogramProvider({
    name: LATENCY,
    help: 'Time from the request for an instant message to its first write to a client of this process, in seconds.',
    labelNames: ['lane'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  makeHistogramProvider({
    name: LATENESS,
    help: 'Time from the due time of a delayed message to its first write to a client of this process, in seconds.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
  }),
];

@Injectable()
export class GatewayMetrics {
  constructor(
    @InjectMetric(CONNECTIONS) private readonly connections: Gauge<'protocol'>,
    @InjectMetric(CLOSES) private readonly closes: Counter<'code'>,
    @InjectMetric(REFUSALS) private readonly refusals: Counter<'reason'>,
    @InjectMetric(REFUSED_ATTEMPTS) private readonly attemptsRefused: Counter<'step' | 'reason'>,
    @InjectMetric(RECEIVED) private readonly messagesReceived: Counter<'protocol'>,
    @InjectMetric(DELIVERED) private readonly messagesDelivered: Counter,
    @InjectMetric(DROPPED) private readonly messagesDropped: Counter,
    @InjectMetric(UNENCODABLE) private readonly messagesUnencodable: Counter<'protocol'>,
    @InjectMetric(SLOW) private readonly slowClients: Counter<'limit'>,
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

  attemptRefused(step: string, reason: string): void {
    this.attemptsRefused.inc({ step, reason });
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

  unencodable(protocol: string, messages: number): void {
    this.messagesUnencodable.inc({ protocol }, messages);
  }

  closedAsSlow(limit: 'outbox' | 'process', clients: number): void {
    this.slowClients.inc({ limit }, clients);
  }

  /** @param nowMs the Unix time at which the first frame of the publication was written */
  written({ lane, createdAt, dueAt }: Publication, nowMs: number): void {
    // The clocks of two machines differ a little, but no message is written before it is requested.
    const seconds = Math.max(0, nowMs - (dueAt ?? createdAt)) / 1000;
    if (dueAt === undefined) this.latency.observe({ lane }, seconds);
    else this.lateness.observe(seconds);
  }
}
