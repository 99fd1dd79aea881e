import { Controller, Get, Optional, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import { Exposition } from './exposition.js';

interface Reply {
  header(name: string, value: string): unknown;
}

/** The path is the module's to set. */
@Controller()
export class MetricsController extends PrometheusController {
  constructor(@Optional() private readonly exposition?: Exposition) {
    super();
  }

  @Get()
  @ApiTags('metrics')
  @ApiOperation({ summary: 'What Prometheus reads.' })
  override async index(@Res({ passthrough: true }) reply: Reply): Promise<string> {
    reply.header('Content-Type', register.contentType);
    return this.exposition?.read() ?? register.metrics();
  }
}
