import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import type { ServerOptions } from '../config/server.options.js';
import { Readiness } from '../metrics/index.js';

const logger = new Logger('Shutdown');

/**
 * Calls `stop` on SIGTERM or SIGINT, once, and ends the process when it is done: with 0 where it answers that everything was
 * finished. A further signal ends the process at once, unless `again` does something else.
 */
export function stopOnSignals(stop: () => Promise<boolean>, again: () => void = () => process.exit(1)): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) return again();
    stopping = true;
    logger.log(`${signal}: shutting down`);
    void stop().then((clean) => process.exit(clean ? 0 : 1));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/**
 * Stops the application in bounded time: readiness turns red, then the modules close in the order of their imports (edges,
 * delivery, bus).
 *
 * @returns whether everything was finished in time
 */
export async function stopApplication(
  app: INestApplication,
  options: ServerOptions['shutdown'],
): Promise<boolean> {
  app.get(Readiness).stopping();
  logger.log(`closing, for at most ${options.timeoutMs} ms`);
  const deadline = delay(options.timeoutMs, false as const, { ref: false });
  const closed = delay(options.readinessDelayMs)
    .then(() => app.close())
    .then(
      () => true,
      (error: unknown) => {
        logger.error(error);
        return false;
      },
    );
  const clean = await Promise.race([closed, deadline]);
  logger.log(
    clean ? 'everything was finished' : 'cut off: what was not acknowledged comes again from its queue',
  );
  return clean;
}
