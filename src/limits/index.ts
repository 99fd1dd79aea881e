export { RateLimit, type Rate } from './rate-limit.js';
