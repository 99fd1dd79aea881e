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
export { DeliveryModule } from './delivery.module.js';
export { deliveryOptions, type DeliveryOptions } from './delivery.options.js';
export {
  clientAddress,
  clientIdentity,
  trustedProxies,
  type ClientIdentity,
  type IdentifiedRequest,
  type TrustedProxies,
} from './identity.js';
export { Publication, type Lane } from './publication.js';
export type { Subscriber } from './subscriber.js';
