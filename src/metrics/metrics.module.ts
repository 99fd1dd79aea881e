import { Global, Module, type DynamicModule } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import { BackgroundFailures } from './background-failures.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { instruments } from './metrics.instruments.js';
import { metricsOptions, type MetricsOptions, type MetricsOptionsInput } from './metrics.options.js';
import { Readiness } from './readiness.js';

/** Serves the metrics of the process. */
@Module({})
export class MetricsEndpointModule {
  static forRoot(given: MetricsOptionsInput): DynamicModule {
    const { path, processMetrics } = metricsOptions.parse(given);
    // The registry belongs to the process. A second application in the process, as in a test, must not register the metrics again.
    const enabled = processMetrics && register.getSingleMetric('process_cpu_seconds_total') === undefined;
    const defaultMetrics = { enabled };
    return {
      module: MetricsEndpointModule,
      imports: [PrometheusModule.register({ path, controller: MetricsController, defaultMetrics })],
    };
  }
}

/** Serves metrics and health. It is global, because every other module reports to it. It imports no other module. */
@Global()
@Module({})
export class MetricsModule {
  static forRoot(options: MetricsOptions): DynamicModule {
    return {
      module: MetricsModule,
      imports: [MetricsEndpointModule.forRoot(options)],
      controllers: [HealthController],
      providers: [Readiness, BackgroundFailures, ...instruments],
      exports: [Readiness],
    };
  }
}
