import { Global, Module } from '@nestjs/common';
import { Callers } from './callers/callers.js';
import { HttpErrors } from './error-responses.js';
import { HttpMetrics, httpInstruments } from './http.metrics.js';
import { ConfigurableHttpModule } from './http.module-definition.js';
import { RouteGuard } from './routes/route-guard.js';
import { OpenApi } from './open-api/open-api.js';

/**
 * Provides what every HTTP route of the process uses. It is global, because several modules have routes. The application
 * must also be created with `HttpAdapter`.
 */
@Global()
@Module({
  providers: [Callers, HttpErrors, HttpMetrics, OpenApi, RouteGuard, ...httpInstruments],
  exports: [Callers, HttpErrors, HttpMetrics, OpenApi],
})
export class HttpModule extends ConfigurableHttpModule {}
