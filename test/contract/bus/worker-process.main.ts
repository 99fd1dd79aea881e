import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import type { Bus } from '../../../src/bus/index.js';
import type { WorkerTask } from './worker-process.js';

const task = JSON.parse(process.env['WORKER_PROCESS'] ?? '') as WorkerTask;
// Written before the handler goes on, so that a SIGKILL loses nothing of it.
const note = (event: object) =>
  appendFileSync(task.log, `${JSON.stringify({ ...event, at: String(process.hrtime.bigint()) })}\n`);

Logger.overrideLogger(false);
const { open } = (await import(task.bus.module)) as { open: (options: unknown) => Promise<Bus> };
const bus = await open(task.bus.options);
let visits = 0;
await bus.subscribe(task.subscription, async (records) => {
  const visit = visits++;
  const bodies = records.map(({ value }) => value.toString());
  note({ visit, partition: records[0]?.partition, bodies });
  process.send?.('begun');
  await new Promise((resolve) => setTimeout(resolve, task.workMs));
  note({ visit });
  process.send?.(bodies);
});
process.on('message', () => void bus.close().then(() => process.disconnect()));
process.send?.('subscribed');
