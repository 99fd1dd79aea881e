export { CarillonClient, type CarillonClientOptions } from './carillon.client.js';
export { CarillonRecord } from './carillon.record.js';
export { EventFailureFilter } from './event-failure.filter.js';
export { CarillonServer, type CarillonServerOptions, EventRpcContext } from './carillon.server.js';
