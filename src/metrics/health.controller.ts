import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Readiness, type ReadinessReport } from './readiness.js';

interface Reply {
  status(code: number): unknown;
}

/** Probes. `live` depends on nothing but this process; `ready` on the brokers too; `/health` is `ready` in Centrifugo's form. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether the process answers. Restart it when this fails.' })
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether to send it clients: started, not stopping, every broker up.' })
  @ApiResponse({ status: 200, description: 'Ready.' })
  @ApiResponse({ status: 503, description: 'Not ready; the body names the broker and the reason.' })
  ready(@Res({ passthrough: true }) reply: Reply): ReadinessReport {
    const report = this.readiness.report();
    reply.status(report.ready ? 200 : 503);
    return report;
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The same as /health/ready with an empty body, as Centrifugo answers it.' })
  @ApiResponse({ status: 200, description: 'Ready.' })
  @ApiResponse({ status: 503, description: 'Not ready.' })
  health(@Res({ passthrough: true }) reply: Reply): Record<string, never> {
    reply.status(this.readiness.report().ready ? 200 : 503);
    return {};
  }
}
