export { BrokerStatus, type BrokerState } from './broker-status.js';
export { Exposition } from './exposition.js';
export { MetricsEndpointModule, MetricsModule } from './metrics.module.js';
export { metricsRegistry } from './metrics.registry.js';
export { metricsOptions, type MetricsOptions, type MetricsOptionsInput } from './metrics.options.js';
export { Readiness, type Phase, type ReadinessReport } from './readiness.js';
export { totals } from './totals.js';
