import { Logger } from '@nestjs/common';
import type { Bus, SubscribeOptions } from '../../../src/bus/index.js';
import type { HoldingProcessBus } from './holding-process.js';

const given = JSON.parse(process.env['HOLDING_PROCESS'] ?? '') as {
  bus: HoldingProcessBus;
  subscription: SubscribeOptions;
};
const { open } = (await import(given.bus.module)) as {
  open: (options: unknown) => Promise<Bus>;
};
Logger.overrideLogger(false);
const bus = await open(given.bus.options);
await bus.subscribe(given.subscription, () => {
  process.send?.('holding');
  return Promise.withResolvers<void>().promise;
});
process.send?.('subscribed');
