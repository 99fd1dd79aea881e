import { Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';

/**
 * `replayed`: answered from an idempotency key. `unavailable`: a lane did not take its copy, so neither has one.
 * `failed`: a defect.
 */
export type TriggerOutcome = 'accepted' | 'replayed' | 'refused' | 'unavailable' | 'failed';

const REQUESTS = 'carillon_trigger_requests_total';
const COMMANDS = 'carillon_api_commands_total';

export const triggerInstruments = [
  makeCounterProvider({
    name: REQUESTS,
    help: 'Requests for a push that reached the lanes, by what became of them.',
    labelNames: ['outcome'],
  }),
  makeCounterProvider({
    name: COMMANDS,
    help: 'Commands of the server API, by method and by the code of the error (0: none).',
    labelNames: ['method', 'error'],
  }),
];

@Injectable()
export class TriggerMetrics {
  /** Bound beforehand, as publishing is hot. */
  readonly #succeeded = new Map<string, Counter.Internal>();

  constructor(
    @InjectMetric(REQUESTS) private readonly requests: Counter<'outcome'>,
    @InjectMetric(COMMANDS) private readonly commands: Counter<'method' | 'error'>,
  ) {}

  count(outcome: TriggerOutcome): void {
    this.requests.inc({ outcome });
  }

  /** @param error the code; 0: none */
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
