import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Callers } from './callers/callers.js';
import { HttpErrors } from './error-responses.js';
import { HttpErrorFilter } from './http-error.filter.js';
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
  providers: [
    Callers,
    HttpErrors,
    HttpMetrics,
    OpenApi,
    RouteGuard,
    ...httpInstruments,
    { provide: APP_FILTER, useClass: HttpErrorFilter },
  ],
  exports: [Callers, HttpErrors, HttpMetrics, OpenApi],
})
export class HttpModule extends ConfigurableHttpModule {}
