import { Controller, Get, Optional, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import { Exposition } from './exposition.js';

interface Reply {
  header(name: string, value: string): unknown;
}

/** Serves the metrics. `MetricsModule` sets the path. */
@Controller()
export class MetricsController extends PrometheusController {
  #reading: Promise<string> | undefined;

  constructor(@Optional() private readonly exposition?: Exposition) {
    super();
  }

  // The HTTP server of the process reads the configuration of the route; that of another application ignores it.
  @Get()
  @RouteConfig({ isCostly: true, isInternal: true })
  @ApiTags('metrics')
  @ApiOperation({ summary: 'Returns the metrics in the text format of Prometheus.' })
  override async index(@Res({ passthrough: true }) reply: Reply): Promise<string> {
    reply.header('Content-Type', register.contentType);
    // Scrapes at the same time share one reading, so that many of them cost no more than one.
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #read(): Promise<string> {
    return this.exposition?.read() ?? register.metrics();
  }
}
