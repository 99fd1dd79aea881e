/**
 * Compares the bus with the same work done by hand with the client library. See docs/performance.md.
 *
 *   npm run bench:bus -- [kafka] [redis] [pulsar] [--rounds 7] [--only consume] [--name c7g.large]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openKafka } from './bus/kafka.ts';
import { openCarillon } from './bus/carillon.ts';
import { openPulsar } from './bus/pulsar.ts';
import { openRedis } from './bus/redis.ts';
import { type Report, toJson, toMarkdown } from './bus/report.ts';
import { measure, type Row } from './bus/rows.ts';
import { describeMachine } from './versus/machine.ts';
import { commit } from './versus/programs.ts';

const open = { kafka: openKafka, redis: openRedis, pulsar: openPulsar };
type Driver = keyof typeof open;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: '' },
    /** Name of the result files. Without it, no files are written. */
    name: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const machine = describeMachine();
const startedAt = new Date();

async function rowsOf(driver: Driver): Promise<{ driver: string; client: string; rows: Row[] }> {
  const bench = await open[driver]();
  const carillon = await openCarillon(driver, bench);
  const rows: Row[] = [];
  for await (const row of measure(bench, carillon, rounds, values.only)) rows.push(row);
  await carillon.close();
  await bench.close();
  return { driver, client: bench.client, rows };
}

const drivers = positionals.length > 0 ? (positionals as Driver[]) : (Object.keys(open) as Driver[]);
const brokers = [];
for (const driver of drivers) brokers.push(await rowsOf(driver));
const seconds = (Date.now() - startedAt.getTime()) / 1_000;
const report: Report = { startedAt, seconds, rounds, version: commit(), machine, brokers };
console.log(toMarkdown(report));
if (values.name !== undefined) {
  const directory = resolve(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const file = resolve(directory, `${startedAt.toISOString().slice(0, 10)}-bus-${values.name}`);
  writeFileSync(`${file}.md`, `${toMarkdown(report)}\n`);
  writeFileSync(`${file}.json`, toJson(report));
}
