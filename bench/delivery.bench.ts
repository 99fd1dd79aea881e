/**
 * Measures publishing in this process: one channel with many subscribers or none, without and with a history.
 *
 *   npm run build && node bench/delivery.bench.ts [subscribers] [seconds per row]
 */
import { NestFactory } from '@nestjs/core';
import type * as BusExports from '../src/bus/index.js';
import type * as DeliveryExports from '../src/delivery/index.js';
import type * as MetricsExports from '../src/metrics/index.js';

const dist = process.env.CARILLON_DIST ?? new URL('../dist', import.meta.url).pathname;
const { BusModule, busOptions, LanesModule, newMessageId } = (await import(
  `${dist}/bus/index.js`
)) as typeof BusExports;
const { Delivery, DeliveryModule, deliveryOptions } = (await import(
  `${dist}/delivery/index.js`
)) as typeof DeliveryExports;
const { MetricsModule, metricsOptions } = (await import(`${dist}/metrics/index.js`)) as typeof MetricsExports;

const [subscribers, seconds] = [Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 2)];
const DATA = Buffer.from(JSON.stringify({ text: 'x'.repeat(100) }));
/** Publications between two reads of the clock. */
const BATCH = 100;

const channels = { namespaces: [{ name: 'kept', historySize: 100, historyTtlMs: 300_000 }] };
const deliveryModule = DeliveryModule.forRoot(deliveryOptions.parse({ channels }));
const bus = busOptions.parse({
  drivers: { sqlite: { directory: ':memory:' } },
  delayed: { driver: 'memory' },
});
const application = await NestFactory.createApplicationContext(
  {
    module: class Bench {},
    imports: [
      MetricsModule.forRoot(metricsOptions.parse({ processMetrics: false })),
      BusModule.forRoot(bus),
      LanesModule,
      deliveryModule,
    ],
  },
  { logger: false },
);
const delivery = application.get(Delivery);

async function measure(name: string, channel: string, audience: number): Promise<void> {
  let received = 0;
  for (let index = 0; index < audience; index++)
    await delivery.attach(channel, { receive: () => void received++ });
  const publishFor = async (ms: number): Promise<number> => {
    let published = 0;
    for (const until = performance.now() + ms; performance.now() < until; published += BATCH) {
      let last: Promise<unknown> = Promise.resolve();
      for (let index = 0; index < BATCH; index++) {
        const message = {
          id: newMessageId(),
          channel,
          data: DATA,
          format: 'json',
          createdAt: Date.now(),
        } as const;
        last = delivery.publish(message, 'direct');
      }
      await last;
    }
    return published;
  };
  await publishFor(300);
  const before = process.cpuUsage();
  const published = await publishFor(seconds * 1_000);
  const { user, system } = process.cpuUsage(before);
  const each = (user + system) / published;
  if (received === 0 && audience > 0) throw new Error('no subscriber received anything');
  console.log(
    `${name.padEnd(14)} ${String(audience).padStart(5)} subscribers  ${each.toFixed(2).padStart(7)} µs CPU each`,
  );
}

for (const audience of [0, 1, subscribers]) {
  await measure('no history', `plain-${audience}`, audience);
  await measure('history of 100', `kept:${audience}`, audience);
}
await application.close();
