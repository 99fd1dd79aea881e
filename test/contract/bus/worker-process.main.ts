import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import type { Bus } from '../../../src/bus/index.js';
import type { WorkerTask } from './worker-process.js';

const task = JSON.parse(process.env['WORKER_PROCESS'] ?? '') as WorkerTask;
// Written synchronously, so that nothing is lost on SIGKILL.
const log = (event: object) =>
  appendFileSync(task.log, `${JSON.stringify({ ...event, at: String(process.hrtime.bigint()) })}\n`);

Logger.overrideLogger(false);
const { open } = (await import(task.bus.module)) as { open: (options: unknown) => Promise<Bus> };
const bus = await open(task.bus.options);
let calls = 0;
await bus.subscribe(task.subscription, async (records) => {
  const call = calls++;
  const bodies = records.map(({ value }) => value.toString());
  log({ call, partition: records[0]?.partition, bodies });
  process.send?.('started');
  await new Promise((resolve) => setTimeout(resolve, task.workMs));
  log({ call });
  process.send?.(bodies);
});
process.on('message', () => void bus.close().then(() => process.disconnect()));
process.send?.('subscribed');
