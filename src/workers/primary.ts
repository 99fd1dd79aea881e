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
import { Crew } from './crew.js';
import { answerPulse } from './pulse.js';
import { PrimaryModule } from './primary.module.js';
import { WorkerMetrics } from './worker-metrics.js';
import { WorkersFailedError } from './workers.errors.js';

/** What a worker is given to end by itself beyond its own limit, in ms. */
const GRACE_MS = 2_000;

/**
 * Runs the program as `size` processes behind one port, until it is told to stop. Resolves with the URL when all of them
 * are ready.
 *
 * @throws {WorkersFailedError}
 */
export async function runWorkers(
  config: Config,
  size: number,
  fail: (error: unknown) => void,
): Promise<string> {
  // A worker of another program's cluster cannot have workers of its own.
  if (cluster.isWorker)
    throw new WorkersFailedError(
      'server.workers is set, but this process is itself one of a cluster: have the process manager start it ' +
        'with fork (pm2: exec_mode), or leave server.workers out',
    );
  const { server } = config;
  const context = await NestFactory.createApplicationContext(PrimaryModule.forRoot(config), {
    logger: new PinoLogger(config.log),
    abortOnError: false,
  });
  const listening = Promise.withResolvers<number>();
  cluster.once('listening', (_worker, { port }) => listening.resolve(port));
  const crew = new Crew({
    size,
    program: resolve(import.meta.dirname, '../worker.js'),
    args: process.argv.slice(2),
    stopTimeoutMs: server.shutdown.timeoutMs + GRACE_MS,
    onLink: serveAll(context, config),
    onGivenUp: fail,
  });
  stopOnSignals(
    async () => {
      const clean = await crew.stop();
      await context.close();
      return clean;
    },
    () => {
      crew.kill();
      process.exit(1);
    },
  );
  try {
    await crew.start();
  } catch (error) {
    crew.kill();
    throw error;
  }
  return `http://${server.host}:${await listening.promise}`;
}

function serveAll(context: INestApplicationContext, { server, delivery }: Config): (link: Link) => void {
  const readiness = context.get(Readiness);
  const metrics = new WorkerMetrics();
  const stores = usesLanes(server.roles) ? context.get(EmbeddedStores, { strict: false }) : undefined;
  const engine =
    delivery.fanout.kind === 'local' ? context.get(EmbeddedEngine, { strict: false }) : undefined;
  return (link) => {
    answerPulse(link);
    serveBrokerStates(link, readiness);
    stores?.serve(link);
    engine?.serve(link);
    metrics.serve(link);
  };
}
