import { Logger } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import type { Readiness } from '../metrics/index.js';
import { DEAD_AFTER_S, UNRESPONSIVE_AFTER_S, watchLiveness } from './liveness.js';

const logger = new Logger('Workers');

/**
 * Makes the readiness of this worker depend on the primary process. If the primary counts as dead, the worker shuts down and sends
 * its clients away: the port belongs to the primary, so no new client could connect here.
 */
export function watchPrimary(link: Link, readiness: Readiness): void {
  const status = readiness.broker('primary process');
  status.up();
  watchLiveness(link, {
    onUnresponsive: () => status.down(`it has not responded for ${UNRESPONSIVE_AFTER_S} s`),
    onRecovered: () => status.up(),
    onDead: () => {
      logger.error(`the primary process has not responded for ${DEAD_AFTER_S} s: this worker shuts down`);
      process.kill(process.pid, 'SIGTERM');
    },
  });
}
