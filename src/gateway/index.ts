export { GatewayModule } from './gateway.module.js';
export {
  GATEWAY_MODULE_OPTIONS,
  type GatewayExtensions,
  type GatewayModuleOptions,
} from './gateway.module-definition.js';
export { gatewayOptionsFor, type GatewayOptions } from './gateway.options.js';
export type { CloseCode, CloseCodes, CloseReason } from './connection/close-codes.js';
export { Connection, type ConnectionHost } from './connection/connection.js';
export { SharedMessage } from './connection/framing.js';
export type { Handshake } from './connection/handshake.js';
export { PublicationFormat, unencodable } from './connection/publication-format.js';
export { HandshakeRefusedError, type Refusal } from './connection/refusals.js';
export type { Protocol, ProtocolDefinition } from './protocols/protocol.js';
export { ProtocolSettings } from './protocols/protocol-settings.js';
export type {
  Attempts,
  ClientContext,
  ConnectAttempt,
  PublishAttempt,
  RefreshAttempt,
  RpcAttempt,
  Step,
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
  type Allowances,
  type DecisionOf,
  type RefusalCause,
} from './auth/decisions.js';
export {
  APPLICATION_AUTHORIZERS,
  applicationAuthorizersProvider,
  type ApplicationAuthorizers,
  type AuthorizerExtensions,
} from './auth/application-authorizers.js';
export { AuthorizerChain } from './auth/authorizer-chain.js';
export { HeaderForwarding } from './auth/forwarded-headers.js';
export { RulesAuthorizer } from './auth/rules/rules.authorizer.js';
export { TokenAuthorizer } from './auth/tokens/token.authorizer.js';
export { tokensOptions, type TokensOptions } from './auth/tokens/tokens.options.js';
export { checkToken, generateToken, type TokenReport, type TokenRequest } from './auth/tokens/cli.js';
export { missingProxies } from './auth/proxies/missing-proxies.js';
export { proxyRequestSchemas, type ProxyClient, type ProxyRequests } from './auth/proxies/proxy-requests.js';
