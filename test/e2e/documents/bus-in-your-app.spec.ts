import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { register } from 'prom-client';
import { AppModule } from '../../../examples/bus-in-your-app/app.module.js';
import type { Invoice } from '../../../examples/bus-in-your-app/invoices.consumer.js';
import { BusModule, Bus, DeadLetters, metricsRegistry, Schedule } from '../../../src/bus/index.js';

describe('examples/bus-in-your-app', () => {
  let app: NestFastifyApplication;
  let directory: string;
  let url: string;

  beforeAll(async () => {
    register.clear();
    directory = await mkdtemp(`${tmpdir()}/carillon-in-your-app-`);
    const bus = { drivers: { sqlite: { directory } } };
    const testing = await Test.createTestingModule({ imports: [AppModule.forRoot(bus)] }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(async () => {
    await app.close();
    await rm(directory, { recursive: true });
  });

  const order = async (customer: string, key: string) => {
    const response = await fetch(`${url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ customer, total: 12 }),
    });
    expect(response.status).toBe(202);
    return (await response.json()) as { id: string };
  };
  const invoices = async (count: number): Promise<readonly Invoice[]> => {
    for (;;) {
      const list = (await (await fetch(`${url}/invoices`)).json()) as Invoice[];
      if (list.length >= count) return list;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  it('runs the event bus without the server', async () => {
    const { id } = await order('ada', 'order-1');
    expect(await order('ada', 'order-1')).toEqual({ id });
    await order('bob', 'order-2');
    const all = await invoices(2);
    expect(all).toContainEqual({ id, customer: 'ada', total: 12 });
    expect(all).toHaveLength(2);
    expect(app.get(DeadLetters)).toBeInstanceOf(DeadLetters);
    for (const absent of [Bus, Schedule]) expect(() => app.get(absent as never)).toThrow('could not find');
  });

  it('serves its metrics at the path that it names', async () => {
    await order('eve', 'order-3');
    const labels = 'module="billing",consumer="invoices",event="order-placed",driver="memory"';
    const sample = new RegExp(`^messagebus_job_cost_count\\{${labels}\\} [1-9]`, 'm');
    const scrape = async () => fetch(`${url}/metrics`);
    let text = await (await scrape()).text();
    while (!sample.test(text)) text = await (await scrape()).text();
    expect(text).toMatch(new RegExp(`^messagebus_job_delay_count\\{${labels}\\} [1-9]`, 'm'));
    expect((await scrape()).headers.get('content-type')).toMatch(/^text\/plain; version=/);
    expect(await metricsRegistry.metrics()).toMatch(sample);
  });

  it('refuses files of consumers, which only the server loads', () => {
    const given = { modules: { task: { load: ['./consumers.js'] } } };
    const compiling = Test.createTestingModule({ imports: [BusModule.forRoot(given)] }).compile();
    return expect(compiling).rejects.toThrow(/modules\.task\.load: only the server loads files/);
  });

  it('reports all invalid options together', async () => {
    const wrong = { defaultDriver: 'kafka', consumers: { batchSize: 0 } } as const;
    const compiling = Test.createTestingModule({ imports: [BusModule.forRoot(wrong)] }).compile();
    await expect(compiling).rejects.toMatchObject({ code: 'adapter_unusable' });
    await expect(compiling).rejects.toThrow(/batchSize/);
  });

  it('accepts options from a provider', async () => {
    const testing = await Test.createTestingModule({
      imports: [
        BusModule.forRootAsync({
          useFactory: async () => ({ drivers: { sqlite: { directory: ':memory:' } } }),
        }),
      ],
    }).compile();
    await expect(testing.init()).resolves.toBe(testing);
    await testing.close();
  });
});
