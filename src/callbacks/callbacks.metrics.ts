import { Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import type { Step } from '../gateway/index.js';

const CALLBACKS = 'carillon_callbacks_total';

/** `failed`: neither yes nor no, because the body was malformed, or the event could not be published. */
export type CallbackOutcome = 'allowed' | 'refused' | 'failed';

export const callbackInstruments = [
  makeCounterProvider({
    name: CALLBACKS,
    help: 'Callbacks of a Centrifugo, by step and outcome.',
    labelNames: ['step', 'outcome'],
  }),
];

@Injectable()
export class CallbackMetrics {
  constructor(@InjectMetric(CALLBACKS) private readonly callbacks: Counter<'step' | 'outcome'>) {}

  count(step: Step, outcome: CallbackOutcome): void {
    this.callbacks.inc({ step, outcome });
  }
}
