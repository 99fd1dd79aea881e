import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { configSchema } from './config/schema.js';
import { HttpAdapter } from './http/index.js';

/** The application over embedded adapters, on a free port. */
async function start(): Promise<NestFastifyApplication> {
  const config = configSchema.parse({
    bus: { drivers: { sqlite: { directory: ':memory:' } }, delayed: { driver: 'memory' } },
    metrics: { processMetrics: false },
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config),
    new HttpAdapter(config.server.http),
    { logger: false, abortOnError: false },
  );
  await app.listen(0, '127.0.0.1');
  return app;
}

interface Stoppable {
  onModuleDestroy?: () => unknown;
}

/** Records when each provider of the application begins and ends to stop, by the name of its module. */
function watchStops(app: NestFastifyApplication): string[] {
  const events: string[] = [];
  for (const module of app.get(ModulesContainer).values())
    for (const [, { instance }] of module.getNonAliasProviders()) {
      const provider = instance as Stoppable | undefined;
      const stop = provider?.onModuleDestroy?.bind(provider);
      if (provider === undefined || stop === undefined) continue;
      jest.spyOn(provider as Required<Stoppable>, 'onModuleDestroy').mockImplementation(async () => {
        events.push(`${module.name} stops`);
        await stop();
        events.push(`${module.name} stopped`);
      });
    }
  return events;
}

describe('AppModule', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('stops the edges first, then the lane consumers, delivery, the lanes and the bus, one after another', async () => {
    const app = await start();
    const events = watchStops(app);
    await app.close();
    const order = [...new Set(events.map((event) => event.split(' ')[0] ?? ''))];
    expect(order.slice(0, 2).toSorted()).toEqual(['GatewayModule', 'TriggerModule']);
    expect(order.slice(2)).toEqual(['LaneConsumersModule', 'DeliveryModule', 'LanesModule', 'BusModule']);
    const times = order.flatMap((module) => [
      events.indexOf(`${module} stops`),
      events.lastIndexOf(`${module} stopped`),
    ]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});
