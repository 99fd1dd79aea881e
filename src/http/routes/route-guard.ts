import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Callers } from '../callers/callers.js';
import { isLoopback } from '../callers/loopback.js';
import { HttpAdapter } from '../http-adapter.js';
import { InternalRouteError } from '../http.errors.js';
import { HTTP_OPTIONS } from '../http.module-definition.js';
import type { HttpModuleOptions, OperatorRoutes } from '../http.options.js';

/** Protects the routes that are marked as costly or internal, whichever module they belong to, before a body is read. */
@Injectable()
export class RouteGuard implements OnModuleInit {
  constructor(
    @Inject(HTTP_OPTIONS) private readonly options: HttpModuleOptions,
    private readonly callers: Callers,
    private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const { httpAdapter } = this.host;
    if (!(httpAdapter instanceof HttpAdapter)) return;
    const server = httpAdapter.getInstance();
    server.addHook('onRequest', (request, _reply, done) => {
      const { isCostly, isInternal } = request.routeOptions.config;
      if (isCostly === true) this.callers.admitCostly(request.raw);
      if (isInternal === true) this.#requireAccess(request, httpAdapter);
      done();
    });
  }

  #requireAccess({ raw }: FastifyRequest, { servers }: HttpAdapter): void {
    if (servers.hasInternalPort && !servers.isInternal(raw))
      throw new InternalRouteError('this path is served on the internal port only');
    if (needsOperatorKey(this.options)) this.callers.requireOperatorKey(raw);
  }
}

/** Whether internal routes need a key: one is configured for them, or they are open to others than this machine. */
export function needsOperatorKey({ metricsKeys = [], listensOn, internalPort }: OperatorRoutes): boolean {
  if (metricsKeys.length > 0) return true;
  return internalPort === undefined && listensOn !== undefined && !isLoopback(listensOn);
}
