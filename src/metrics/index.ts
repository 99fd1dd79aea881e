export { BrokerStatus, type BrokerState } from './broker-status.js';
export { Exposition } from './exposition.js';
export { MetricsModule } from './metrics.module.js';
export { metricsOptions, type MetricsOptions } from './metrics.options.js';
export { Readiness, type Phase, type ReadinessReport } from './readiness.js';
export { totals } from './totals.js';
