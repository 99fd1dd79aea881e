import 'reflect-metadata';
import { AppModule } from './app.module.js';
import { readConfig } from './config/config.js';
import { fail } from './process/failure.js';
import { serve } from './process/serve.js';
import { answerPulse, linkToPrimary, WorkerModule } from './workers/index.js';

/** One of several processes behind one port. The primary process, `main.ts`, starts it, and ends with it nothing but itself. */
async function work(): Promise<void> {
  const link = linkToPrimary();
  // Without it nothing here is of use, and whoever was connected is better off elsewhere.
  link.onEnd(() => process.exit(1));
  answerPulse(link);
  const { config } = readConfig();
  // A terminal or a service manager may signal all processes, and the primary passes on what it hears: only the first counts.
  await serve(WorkerModule.around(AppModule.forRoot(config), link), config, () => {});
  process.send?.('ready');
}

work().catch(fail);
