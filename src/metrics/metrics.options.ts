import { z } from 'zod';

export const metricsOptions = z
  .strictObject({
    path: z.string().startsWith('/').default('/metrics').describe('Path of the metrics for Prometheus.'),
    processMetrics: z
      .boolean()
      .default(true)
      .describe('Whether the metrics include memory, CPU and event loop of the process.'),
  })
  .prefault({});

export type MetricsOptions = z.output<typeof metricsOptions>;
/** The options as a program writes them. */
export type MetricsOptionsInput = NonNullable<z.input<typeof metricsOptions>>;
