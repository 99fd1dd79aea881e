import { Catch, Logger, type ArgumentsHost, type ExceptionFilter, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CarillonError } from '../errors.js';
import { HttpAdapter } from './http-adapter.js';
import { HttpAdapterMissingError } from './http.errors.js';
import { bodyOf, HttpErrors } from './error-responses.js';
import { RepeatedWarning } from '../limits/index.js';
import { HttpMetrics } from './http.metrics.js';

/** Reports every HTTP error of the process in one format: `{"error":{"code","message"}}`. */
@Catch()
export class HttpErrorFilter implements ExceptionFilter, OnModuleInit {
  readonly #logger = new Logger('Http');

  constructor(
    private readonly metrics: HttpMetrics,
    private readonly errors: HttpErrors,
    private readonly host: HttpAdapterHost,
  ) {}

  /**
   * Requests that are refused before they are routed do not reach the filter.
   * @throws HttpAdapterMissingError
   */
  onModuleInit(): void {
    const { httpAdapter } = this.host;
    if (!(httpAdapter instanceof HttpAdapter)) throw new HttpAdapterMissingError(httpAdapter);
    const { earlyRefusals, connections } = httpAdapter;
    earlyRefusals.onRefused = (code) => this.metrics.countError(code);
    const warning = new RepeatedWarning(this.#logger);
    connections.onRefused = (reason) => {
      this.metrics.countRefusedConnection(reason);
      const hint =
        reason === 'connections_per_address'
          ? '. A proxy or load balancer counts as one address: raise server.http.limits.connectionsPerAddress for it'
          : '. See server.http.limits';
      warning.warn(`refused or cut HTTP connections: ${reason}${hint}`);
    };
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    // The modules of other transports report errors in their own format.
    if (host.getType() !== 'http') throw exception;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    // The connection ended in the middle of the request: no one receives a response, and it is not an error of the server.
    const { errored } = request.raw;
    if (errored !== null && exception === errored) return;
    const error = this.errors.toHttpError(exception);
    this.metrics.countError(error.code);
    if (error.status >= 500) this.#log(exception, request, error.status);
    void http
      .getResponse<FastifyReply>()
      .code(error.status)
      .headers(error.headers)
      .type('application/json; charset=utf-8')
      .send(bodyOf(error));
  }

  #log(exception: unknown, { id, method, routeOptions }: FastifyRequest, status: number): void {
    const route = routeOptions.url ?? 'unknown route';
    const what = `responded ${status} to ${method} ${route} (request ${id}): ${String(exception)}`;
    if (status === 503) this.#logger.warn(what);
    else this.#logger.error(what, exception instanceof Error ? exception.stack : undefined);
  }
}

/** Reports the errors of Carillon, also those that a route of the application passes on. Nest reports all others. */
@Catch(CarillonError)
export class CarillonErrorFilter extends HttpErrorFilter {}
