import { Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';

/**
 * `replayed`: the result of an earlier request with the same idempotency key was returned. `unavailable`: a lane did not
 * accept its copy, so neither lane has one. `failed`: an internal error.
 */
export type TriggerOutcome = 'accepted' | 'replayed' | 'refused' | 'unavailable' | 'failed';

const REQUESTS = 'carillon_trigger_requests_total';
const COMMANDS = 'carillon_api_commands_total';

export const triggerInstruments = [
  makeCounterProvider({
    name: REQUESTS,
    help: 'Push requests, by outcome.',
    labelNames: ['outcome'],
  }),
  makeCounterProvider({
    name: COMMANDS,
    help: 'Commands of the server API, by method and error code (0: no error).',
    labelNames: ['method', 'error'],
  }),
];

@Injectable()
export class TriggerMetrics {
  /** Counters with their labels, created once per method, because publishing is the hot path. */
  readonly #succeeded = new Map<string, Counter.Internal>();

  constructor(
    @InjectMetric(REQUESTS) private readonly requests: Counter<'outcome'>,
    @InjectMetric(COMMANDS) private readonly commands: Counter<'method' | 'error'>,
  ) {}

  count(outcome: TriggerOutcome): void {
    this.requests.inc({ outcome });
  }

  /** @param error the error code; 0: no error */
  countCommand(method: string, error: number): void {
    if (error !== 0) {
      this.commands.inc({ method, error });
      return;
    }
    let counter = this.#succeeded.get(method);
    if (counter === undefined)
      this.#succeeded.set(method, (counter = this.commands.labels({ method, error: 0 })));
    counter.inc();
  }
}
