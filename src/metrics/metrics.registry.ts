import { register, type Registry } from 'prom-client';

/**
 * The registry with every metric of Carillon in this process: prom-client's default one. An application with another copy of
 * prom-client, or with an endpoint of its own, appends `await metricsRegistry.metrics()` to its answer.
 */
export const metricsRegistry: Registry = register;
