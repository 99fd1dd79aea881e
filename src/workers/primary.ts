import cluster from 'node:cluster';
import { resolve } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EmbeddedStores } from '../bus/index.js';
import type { Config } from '../config/config.js';
import { usesLanes } from '../config/roles.js';
import { EmbeddedEngine } from '../delivery/index.js';
import type { Link } from '../ipc/index.js';
import { PinoLogger } from '../process/logger.js';
import { Readiness } from '../metrics/index.js';
import { stopOnSignals } from '../process/shutdown.js';
import { serveBrokerStates } from './broker-states.js';
import { replyToProbes } from './liveness.js';
import { PrimaryModule } from './primary.module.js';
import { WorkerMetrics } from './worker-metrics.js';
import { WorkerPool } from './worker-pool.js';
import { WorkersFailedError } from './workers.errors.js';

/** How much longer than its own time limit a worker may take to shut down, in ms. */
const GRACE_MS = 2_000;

/**
 * Runs the program as `size` worker processes behind one port, until a signal stops it. Resolves to the port when all workers are
 * ready.
 *
 * @param fail ends this process when its workers cannot be kept running
 * @throws {WorkersFailedError}
 */
export async function runWorkers(
  config: Config,
  size: number,
  fail: (error: unknown) => void,
): Promise<number> {
  // A worker of another program's cluster cannot have workers.
  if (cluster.isWorker)
    throw new WorkersFailedError(
      'server.workers is set, but a process manager runs this process as a worker of its own cluster: start it in fork mode ' +
        '(pm2: exec_mode: fork), or remove server.workers',
    );
  const { server } = config;
  const context = await NestFactory.createApplicationContext(PrimaryModule.forRoot(config), {
    logger: new PinoLogger(config.log),
    abortOnError: false,
  });
  const listening = Promise.withResolvers<number>();
  cluster.once('listening', (_worker, { port }) => listening.resolve(port));
  const pool = new WorkerPool({
    size,
    program: resolve(import.meta.dirname, '../worker.js'),
    args: process.argv.slice(2),
    stopTimeoutMs: server.shutdown.timeoutMs + GRACE_MS,
    onLink: serverFor(context, config),
    onFailed: fail,
  });
  stopOnSignals(
    async () => {
      const clean = await pool.stop();
      await context.close();
      return clean;
    },
    () => {
      pool.kill();
      process.exit(1);
    },
  );
  try {
    await pool.start();
  } catch (error) {
    pool.kill();
    throw error;
  }
  return listening.promise;
}

/** Returns a function that serves everything a worker needs over its link. */
function serverFor(context: INestApplicationContext, { server, delivery }: Config): (link: Link) => void {
  const readiness = context.get(Readiness);
  const metrics = new WorkerMetrics();
  const stores = usesLanes(server.roles) ? context.get(EmbeddedStores, { strict: false }) : undefined;
  const engine =
    delivery.fanout.kind === 'local' ? context.get(EmbeddedEngine, { strict: false }) : undefined;
  return (link) => {
    replyToProbes(link);
    serveBrokerStates(link, readiness);
    stores?.serve(link);
    engine?.serve(link);
    metrics.serve(link);
  };
}
