import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { settlesWithin } from '../async/index.js';
import type { ServerOptions } from '../config/server.options.js';
import { HttpAdapter } from '../http/index.js';
import { Readiness } from '../metrics/index.js';

const logger = new Logger('Shutdown');

/**
 * Calls `stop` at the first SIGTERM or SIGINT. Then exits the process: with 0 if `stop` resolves to true, which means that everything
 * was finished, and otherwise with 1. Another signal exits immediately, unless `onRepeatedSignal` does something else.
 */
export function stopOnSignals(
  stop: () => Promise<boolean>,
  onRepeatedSignal: () => void = () => process.exit(1),
): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) return onRepeatedSignal();
    stopping = true;
    logger.log(`received ${signal}: shutting down`);
    stop().then(
      (clean) => process.exit(clean ? 0 : 1),
      (error: unknown) => {
        logger.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/**
 * Stops the application in bounded time: readiness turns red, then the modules close in the order of their imports (edges, lane
 * consumers, delivery, bus).
 *
 * @returns whether everything was finished in time
 */
export async function stopApplication(
  app: INestApplication,
  { timeoutMs, readinessDelayMs }: ServerOptions['shutdown'],
): Promise<boolean> {
  app.get(Readiness).stopping();
  const adapter = app.getHttpAdapter();
  if (adapter instanceof HttpAdapter) adapter.stopping();
  logger.log(`closing within ${timeoutMs} ms`);
  try {
    if (await settlesWithin(timeoutMs, close(app, readinessDelayMs))) {
      logger.log('everything was finished');
      return true;
    }
    logger.warn(`cut off after ${timeoutMs} ms: the queues deliver unacknowledged messages again`);
  } catch (error) {
    logger.error(error);
  }
  return false;
}

async function close(app: INestApplication, readinessDelayMs: number): Promise<void> {
  await delay(readinessDelayMs);
  await app.close();
}
