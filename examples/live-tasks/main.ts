/**
 * A live-streaming application and the module for its daily task, in one process: `npm run example -- live-tasks`.
 * DRIVER runs it over a broker: see `../driver.ts`.
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { DeadLetters, Events } from 'carillon/bus';
import { busOptionsFrom } from '../driver.js';
import type { Rewards } from './daily-task.js';
import { LIVE } from './live-events.js';
import { LiveTasksModule } from './live-tasks.module.js';

const rewarded = Promise.withResolvers<void>();
const rewards: Rewards = {
  async grant(anchor) {
    console.log(`${anchor} has done the daily task`);
    rewarded.resolve();
  },
};
const options = busOptionsFrom(process.env);
const app = await NestFactory.createApplicationContext(LiveTasksModule.forRoot(options, rewards), {
  logger: ['error', 'warn'],
});

const events = app.get(Events);
const income = (anchor: string, amount: number) => ({
  event: 'anchor-income',
  payload: { anchor, income: amount },
  key: anchor,
});
const ended = (anchor: string, minutes: number) => ({
  event: 'broadcast-ended',
  payload: { anchor, minutes },
  key: anchor,
});
// Emitted twice with the same idempotency key, but counted once.
for (let sent = 0; sent < 2; sent++)
  await events.emit(LIVE, [income('mei', 80), ended('mei', 45)], {
    idempotencyKey: `mei-morning-${process.pid}`,
  });
await events.emit(LIVE, [income('jun', 500), ended('jun', 20), income('nobody', Number.NaN)]);
await events.emit(LIVE, [ended('mei', 30), income('mei', 40)]);
await rewarded.promise;

const findDeadLetter = async () => {
  const deadLetters = app.get(DeadLetters);
  const [first] = (await deadLetters.list({ group: 'task-daily', limit: 1 })).records;
  return first && deadLetters.find(first.id);
};
let dead = await findDeadLetter();
while (dead === undefined) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  dead = await findDeadLetter();
}
console.log(`given up: ${dead.value.toString()} (${dead.failure?.message})`);
await app.close();
