import { z } from 'zod';

export const metricsOptions = z
  .strictObject({
    path: z.string().startsWith('/').default('/metrics').describe('Where Prometheus reads the metrics.'),
    processMetrics: z
      .boolean()
      .default(true)
      .describe('Whether the memory, CPU and event-loop metrics of the process are among them.'),
  })
  .prefault({});

export type MetricsOptions = z.output<typeof metricsOptions>;
