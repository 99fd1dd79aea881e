import type { OperatorRoutes } from '../http/index.js';
import type { ServerOptions } from './server.options.js';

/** Returns the settings that decide who may use the routes for operators. */
export function operatorRoutes({ host, http }: ServerOptions): OperatorRoutes {
  return { metricsKeys: http.metricsKeys, listensOn: host, internalPort: http.internal.port };
}
