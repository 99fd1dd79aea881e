import { Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import type { ConnectionRefusal } from './connections/http-connections.js';

const HTTP_ERRORS = 'carillon_http_errors_total';
const CONNECTIONS_REFUSED = 'carillon_http_connections_refused_total';

export const httpInstruments = [
  makeCounterProvider({
    name: HTTP_ERRORS,
    help: 'HTTP requests that got an error response, by error code.',
    labelNames: ['code'],
  }),
  makeCounterProvider({
    name: CONNECTIONS_REFUSED,
    help: 'HTTP connections and pipelined requests that were refused, and connections that were cut, by reason.',
    labelNames: ['reason'],
  }),
];

@Injectable()
export class HttpMetrics {
  constructor(
    @InjectMetric(HTTP_ERRORS) private readonly errors: Counter<'code'>,
    @InjectMetric(CONNECTIONS_REFUSED) private readonly connectionsRefused: Counter<'reason'>,
  ) {}

  countError(code: string): void {
    this.errors.inc({ code });
  }

  countRefusedConnection(reason: ConnectionRefusal): void {
    this.connectionsRefused.inc({ reason });
  }
}
