export { Callers, presentedKey, type Caller } from './callers/callers.js';
export {
  clientIdentity,
  clientScheme,
  isProxyRange,
  networkOf,
  trustedProxies,
  type ClientIdentity,
  type IdentifiedRequest,
  type Scheme,
  type TrustedProxies,
} from './callers/client-identity.js';
export { isLoopback } from './callers/loopback.js';
export { UntrustedProxies } from './callers/untrusted-proxies.js';
export { HttpAdapter } from './http-adapter.js';
export { HttpErrors } from './error-responses.js';
export {
  ConflictingParametersError,
  errorClassesOf,
  HttpAdapterMissingError,
  httpErrorTable,
  InvalidBodyError,
  InvalidJsonError,
  statusOf,
  TooManyListsError,
  UnknownFieldError,
  UntrustedProxyError,
  type HttpErrorCode,
  type HttpErrorTable,
} from './http.errors.js';
export { HttpMetrics } from './http.metrics.js';
export { HttpModule } from './http.module.js';
export {
  apiKeyMinLength,
  apiKeysOption,
  callerRateLimitOptions,
  httpOptions,
  type HttpModuleOptions,
  type HttpOptions,
  type OperatorRoutes,
} from './http.options.js';
export type { SchemaRegistry } from './http.schemas.js';
export { parseJson, requireJson } from './body/json-text.js';
export { Costly } from './routes/route-config.js';
export { needsOperatorKey } from './routes/route-guard.js';
export { serveLandingPage } from './landing-page.js';
export { serveDocumentation } from './open-api/documentation.js';
export { OpenApi, schemaRef, type OpenApiPart, type OpenApiPaths } from './open-api/open-api.js';
export { apiKeyAuth, errorResponses } from './open-api/open-api.decorators.js';
export { parseDurationMs } from './parameters/duration.js';
export { readCursor, readLimit, writeCursor } from './parameters/page-parameters.js';
export { parametersOf, type Query } from './parameters/parameters.js';
export { parseTimestamp } from './parameters/timestamp.js';
export { bodyBytes } from './body/lazy-json.js';
export { jsonBytes } from './body/request-body.js';
