import { Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';

const HTTP_ERRORS = 'carillon_http_errors_total';

export const httpInstruments = [
  makeCounterProvider({
    name: HTTP_ERRORS,
    help: 'HTTP requests that were answered with an error, by its code.',
    labelNames: ['code'],
  }),
];

@Injectable()
export class HttpMetrics {
  constructor(@InjectMetric(HTTP_ERRORS) private readonly errors: Counter<'code'>) {}

  countError(code: string): void {
    this.errors.inc({ code });
  }
}
