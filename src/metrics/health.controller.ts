import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Readiness, type ReadinessReport } from './readiness.js';

interface Reply {
  status(code: number): unknown;
}

/**
 * Serves the health probes. `/health/live` depends on this process only, `/health/ready` also on the brokers. `/health` has
 * the status of `/health/ready`, with an empty object as the body.
 */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether the process responds. If this fails, restart the process.' })
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Whether the process accepts clients: it has started, is not stopping, and every broker is up.',
  })
  @ApiResponse({ status: 200, description: 'Ready.' })
  @ApiResponse({ status: 503, description: 'Not ready. The body names the broker and the reason.' })
  ready(@Res({ passthrough: true }) reply: Reply): ReadinessReport {
    const report = this.readiness.report();
    reply.status(report.ready ? 200 : 503);
    return report;
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The status of /health/ready, with an empty object as the body.' })
  @ApiResponse({ status: 200, description: 'Ready.' })
  @ApiResponse({ status: 503, description: 'Not ready.' })
  health(@Res({ passthrough: true }) reply: Reply): Record<string, never> {
    reply.status(this.readiness.report().ready ? 200 : 503);
    return {};
  }
}
