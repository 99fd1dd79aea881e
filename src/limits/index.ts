export { KeyedRateLimit } from './keyed-rate-limit.js';
export { RateLimit, type Rate } from './rate-limit.js';
export { RepeatedWarning } from './repeated-warning.js';
