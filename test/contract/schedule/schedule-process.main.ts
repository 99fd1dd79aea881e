import 'reflect-metadata';
import { once } from 'node:events';
import type { Schedule } from '../../../src/bus/index.js';
import type { ScheduledMessage } from '../../../src/message/index.js';
import type { ScheduleProcessOptions } from './schedule-process.js';

const [given] = (await once(process, 'message')) as [
  { schedule: ScheduleProcessOptions; messages: readonly ScheduledMessage[] },
];
const { open } = (await import(given.schedule.module)) as {
  open: (options: unknown) => Promise<Schedule>;
};
const schedule = await open(given.schedule.options);
await Promise.all(
  given.messages.map((message) => schedule.add({ ...message, data: Buffer.from(message.data) })),
);
process.send?.('added');
await schedule.consume({ concurrency: 1 }, () => {
  process.send?.('holding');
  return Promise.withResolvers<void>().promise;
});
