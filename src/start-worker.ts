import 'reflect-metadata';
import { AppModule } from './app.module.js';
import { readConfig } from './config/config.js';
import { consumerFilesOf } from './process/consumer-files.js';
import { fail } from './process/failure.js';
import { catchUncaughtErrors } from './process/safety-net.js';
import { serve } from './process/serve.js';
import { linkToPrimary, replyToProbes, WorkerModule } from './workers/index.js';

/** One of several processes behind one port. The primary process, `main.ts`, starts it. Its exit affects no other process. */
async function work(): Promise<void> {
  const started = catchUncaughtErrors(fail);
  const link = linkToPrimary();
  // Without the primary this process cannot reach its stores, and its clients should connect to another process.
  link.onEnd(() => process.exit(1));
  replyToProbes(link);
  const { config } = readConfig();
  // A terminal or a service manager may signal all processes, and the primary forwards its own signals: only the first one counts.
  const application = AppModule.forRoot(config, {}, await consumerFilesOf(config));
  await serve(WorkerModule.around(application, link), config, () => {});
  started();
  process.send?.('ready');
}

work().catch(fail);
