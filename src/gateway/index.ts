export { GatewayModule } from './gateway.module.js';
export type { GatewayModuleOptions } from './gateway.module-definition.js';
export { gatewayOptions, type GatewayOptions } from './gateway.options.js';
export { checkToken, generateToken, type TokenReport, type TokenRequest } from './auth/tokens/cli.js';
export { WebSocketAdapter } from './websocket/websocket.adapter.js';
