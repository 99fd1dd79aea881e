import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { register } from 'prom-client';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { allRoles, type Role } from './config/roles.js';
import { configSchema } from './config/schema.js';
import { HttpAdapter, serveDocumentation } from './http/index.js';
import { Readiness } from './metrics/index.js';

/** The application over embedded adapters, on a free port. It can combine roles that the configuration refuses. */
async function start(...roles: Role[]): Promise<NestFastifyApplication> {
  const config = configSchema.parse({
    bus: { drivers: { sqlite: { directory: ':memory:' } }, delayed: { driver: 'memory' } },
    metrics: { processMetrics: false },
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot({ ...config, server: { ...config.server, roles } }),
    new HttpAdapter(config.server.http),
    { logger: false, abortOnError: false },
  );
  serveDocumentation(app, '0.0.0');
  await app.listen(0, '127.0.0.1');
  app.get(Readiness).serving();
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

const LANE_STORES = ['memory (bus)', 'memory (delayed lane)', 'sqlite (idempotency)', 'sqlite (retry store)'];

describe('AppModule', () => {
  beforeEach(() => register.clear());
  afterEach(() => void jest.restoreAllMocks());

  it('stops the edges first, then the lane consumers, delivery, the lanes and the bus, one after another', async () => {
    const app = await start(...allRoles);
    const events = watchStops(app);
    await app.close();
    const order = [...new Set(events.map((event) => event.split(' ')[0] ?? ''))];
    expect(order.slice(0, 2).toSorted()).toEqual(['GatewayModule', 'TriggerModule']);
    expect(order.slice(2)).toEqual([
      'WebhooksModule',
      'LaneConsumersModule',
      'DeliveryModule',
      'LanesModule',
      'BusModule',
      'MetricsModule',
    ]);
    const times = order.flatMap((module) => [
      events.indexOf(`${module} stops`),
      events.lastIndexOf(`${module} stopped`),
    ]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it.each<[Role, Record<string, number>, string[]]>([
    ['gateway', { '/trigger': 404, '/schedules': 404, '/api': 404, '/message': 426 }, []],
    ['trigger', { '/trigger': 405, '/schedules': 200, '/api': 405, '/message': 404 }, LANE_STORES],
    [
      'consumers',
      { '/trigger': 404, '/schedules': 404, '/api': 404, '/message': 404 },
      [
        'lane consumers',
        ...LANE_STORES,
        'progress of the delayed lane (memory)',
        'progress of the instant lane (memory)',
      ].toSorted(),
    ],
  ])('as %s serves its own paths, and is ready when what it uses is', async (role, statuses, brokers) => {
    const app = await start(role);
    const url = await app.getUrl();
    const get = (path: string): Promise<Response> => fetch(url + path);
    const expected = { ...statuses, '/health': 200, '/metrics': 200, '/docs': 200 };
    const found: Record<string, number> = {};
    for (const path of Object.keys(expected)) found[path] = (await get(path)).status;
    const { brokers: reported } = (await (await get('/health/ready')).json()) as { brokers: object };
    const { paths } = (await (await get('/docs/json')).json()) as { paths: object };
    await app.close();
    expect(found).toEqual(expected);
    expect(Object.keys(reported).toSorted()).toEqual(brokers);
    expect('/trigger' in paths).toBe(role === 'trigger');
  });
});
