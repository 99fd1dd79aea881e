export { BrokerStatus, type BrokerState } from './broker-status.js';
