export { GatewayModule } from './gateway.module.js';
export type { GatewayExtensions, GatewayModuleOptions } from './gateway.module-definition.js';
export { gatewayOptions, type GatewayOptions } from './gateway.options.js';
export type {
  Attempts,
  ClientContext,
  ConnectAttempt,
  PublishAttempt,
  RefreshAttempt,
  RpcAttempt,
  SubRefreshAttempt,
  SubscribeAttempt,
} from './auth/attempts.js';
export { Authorizer } from './auth/authorizer.port.js';
export {
  abstained,
  refused,
  type Awaitable,
  type ConnectDecision,
  type PublishDecision,
  type RefreshDecision,
  type RpcDecision,
  type SubRefreshDecision,
  type SubscribeDecision,
  type SubscriptionGrant,
} from './auth/decisions.js';
export { checkToken, generateToken, type TokenReport, type TokenRequest } from './auth/tokens/cli.js';
export { WebSocketAdapter } from './websocket/websocket.adapter.js';
