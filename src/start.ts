import 'reflect-metadata';
import { availableParallelism } from 'node:os';
import { AppModule } from './app.module.js';
import { commandFor } from './cli/commands.js';
import { readConfig } from './config/config.js';
import { consumerFilesOf } from './process/consumer-files.js';
import { fail } from './process/failure.js';
import { catchUncaughtErrors } from './process/safety-net.js';
import { serve } from './process/serve.js';
import { reportStartUp } from './process/start-up-report.js';
import { runWorkers } from './workers/index.js';

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const command = commandFor(argv);
  if (command !== undefined) return command();
  const started = catchUncaughtErrors(fail);
  const { config, notices, errors } = readConfig(argv);
  const workers = config.server.workers === 'auto' ? availableParallelism() : config.server.workers;
  const port =
    workers === 1
      ? await serve(AppModule.forRoot(config, {}, await consumerFilesOf(config)), config)
      : await runWorkers(config, workers, fail);
  started();
  reportStartUp(config, { notices, errors }, { port, workers });
  process.send?.('ready');
}

main().catch(fail);
