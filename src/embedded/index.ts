export { Carillon } from './carillon.js';
export { CarillonModule, type CarillonExtensions } from './carillon.module.js';
export { createHttpAdapter } from './http-adapter.js';
export type { CarillonOptions } from './embedded.options.js';
export {
  InvalidArgumentError,
  PayloadTooLargeError,
  RoleNotHereError,
  UnencodableDataError,
} from './embedded.errors.js';
export type {
  BroadcastResult,
  DisconnectOptions,
  HistoryOptions,
  HistoryPage,
  Member,
  Published,
  PublishedEntry,
  PublishOptions,
  ScheduleOptions,
} from './carillon.types.js';
export { CarillonError } from '../errors.js';
export {
  abstained,
  Authorizer,
  refused,
  type ClientContext,
  type ConnectAttempt,
  type ConnectDecision,
  type PublishAttempt,
  type PublishDecision,
  type RefreshAttempt,
  type RefreshDecision,
  type RpcAttempt,
  type RpcDecision,
  type SubRefreshAttempt,
  type SubRefreshDecision,
  type SubscribeAttempt,
  type SubscribeDecision,
} from '../gateway/index.js';
