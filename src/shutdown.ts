import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import type { ServerOptions } from './config/server.options.js';
import { Readiness } from './metrics/index.js';

const logger = new Logger('Shutdown');

/**
 * Stops the application on SIGTERM or SIGINT, once, in bounded time: readiness turns red, then the modules close in the
 * order of their imports (edges, delivery, bus). A second signal ends the process at once.
 */
export function stopOnSignals(app: INestApplication, options: ServerOptions['shutdown']): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.log(`${signal}: shutting down, for at most ${options.timeoutMs} ms`);
    void stop(app, options).then((clean) => process.exit(clean ? 0 : 1));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** @returns whether everything was finished in time */
async function stop(app: INestApplication, options: ServerOptions['shutdown']): Promise<boolean> {
  app.get(Readiness).stopping();
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
