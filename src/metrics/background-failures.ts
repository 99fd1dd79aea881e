import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { onBackgroundFailure } from '../async/index.js';
import { BACKGROUND_FAILURES } from './metrics.instruments.js';

/** Counts the failures of background tasks. */
@Injectable()
export class BackgroundFailures implements OnModuleDestroy {
  readonly #stop: () => void;

  constructor(@InjectMetric(BACKGROUND_FAILURES) counter: Counter<'task'>) {
    this.#stop = onBackgroundFailure((task) => counter.inc({ task }));
  }

  onModuleDestroy(): void {
    this.#stop();
  }
}
