import { Global, Module, type DynamicModule } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import { BackgroundFailures } from './background-failures.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { instruments } from './metrics.instruments.js';
import type { MetricsOptions } from './metrics.options.js';
import { Readiness } from './readiness.js';

/** Serves metrics and health. It is global, because every other module reports to it. It imports no other module. */
@Global()
@Module({})
export class MetricsModule {
  static forRoot({ path, processMetrics }: MetricsOptions): DynamicModule {
    // The registry belongs to the process. A second application in the process, as in a test, must not register the metrics again.
    const enabled = processMetrics && register.getSingleMetric('process_cpu_seconds_total') === undefined;
    return {
      module: MetricsModule,
      imports: [
        PrometheusModule.register({ path, controller: MetricsController, defaultMetrics: { enabled } }),
      ],
      controllers: [HealthController],
      providers: [Readiness, BackgroundFailures, ...instruments],
      exports: [Readiness],
    };
  }
}
