export {
  connectionChannel,
  identityChannel,
  isReserved,
  newConnectionId,
  nodeId,
  userChannel,
} from './address.js';
export { FanoutClosedError } from './delivery.errors.js';
export { Delivery } from './delivery.js';
export { Publication, type Lane } from './publication.js';
export type { Subscriber } from './subscriber.js';
