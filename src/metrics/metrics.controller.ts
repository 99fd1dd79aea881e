import { Controller, Get, Optional, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import { Exposition } from './exposition.js';

interface Reply {
  header(name: string, value: string): unknown;
}

/** Serves the metrics. `MetricsModule` sets the path. */
@Controller()
export class MetricsController extends PrometheusController {
  constructor(@Optional() private readonly exposition?: Exposition) {
    super();
  }

  @Get()
  @ApiTags('metrics')
  @ApiOperation({ summary: 'Returns the metrics in the text format of Prometheus.' })
  override async index(@Res({ passthrough: true }) reply: Reply): Promise<string> {
    reply.header('Content-Type', register.contentType);
    return this.exposition?.read() ?? register.metrics();
  }
}
