import { Catch, Logger, type ArgumentsHost, type ExceptionFilter, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpAdapter } from './http-adapter.js';
import { bodyOf, HttpErrors } from './http-error.js';
import { RepeatedWarning } from '../limits/index.js';
import { HttpMetrics } from './http.metrics.js';

/** Gives every HTTP error of the process one shape: `{"error":{"code","message"}}`. */
@Catch()
export class HttpErrorFilter implements ExceptionFilter, OnModuleInit {
  readonly #logger = new Logger('Http');

  constructor(
    private readonly metrics: HttpMetrics,
    private readonly errors: HttpErrors,
    private readonly host: HttpAdapterHost<HttpAdapter>,
  ) {}

  /** What is refused before there is a route comes by no filter. */
  onModuleInit(): void {
    const { earlyRefusals, connections } = this.host.httpAdapter;
    earlyRefusals.onRefused = (code) => this.metrics.countError(code);
    const warning = new RepeatedWarning(this.#logger);
    connections.onRefused = (reason) => {
      this.metrics.countRefusedConnection(reason);
      warning.warn(`refused or cut HTTP connections: ${reason}. See server.http.limits`);
    };
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    // Sockets and calls have their own forms, and their own rooms give it to them.
    if (host.getType() !== 'http') throw exception;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    // The caller hung up in the middle of its request, or was hung up on: nobody hears an answer, and it is no fault of ours.
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
    const what = `${status} for ${method} ${routeOptions.url ?? 'no route'} (request ${id}): ${String(exception)}`;
    if (status === 503) this.#logger.warn(what);
    else this.#logger.error(what, exception instanceof Error ? exception.stack : undefined);
  }
}
