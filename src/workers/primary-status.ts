import { Logger } from '@nestjs/common';
import type { Link } from '../ipc/index.js';
import type { Readiness } from '../metrics/index.js';
import { GIVEN_UP_AFTER_S, SILENT_AFTER_S, watchPulse } from './pulse.js';

const logger = new Logger('Workers');

/**
 * Makes the primary process something that this worker's readiness depends on. When it is given up the worker ends as if
 * it had been told to, so that its clients are sent elsewhere: nobody new gets in here, as the port is the primary's.
 */
export function watchPrimary(link: Link, readiness: Readiness): void {
  const status = readiness.broker('primary process');
  status.up();
  watchPulse(link, {
    onSilent: () => status.down(`it has not answered for ${SILENT_AFTER_S} s`),
    onReturn: () => status.up(),
    onGivenUp: () => {
      logger.error(`the primary process has not answered for ${GIVEN_UP_AFTER_S} s: ending`);
      process.kill(process.pid, 'SIGTERM');
    },
  });
}
