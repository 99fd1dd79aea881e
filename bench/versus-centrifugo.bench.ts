/**
 * Compares Carillon with Centrifugo's engine: same load client, same machine, one run after the other. Runs on Linux only,
 * because it reads /proc. Needs Go, and redis-server for the cases with Redis. docs/performance.md explains the table.
 *
 *   npm run bench -- [--quick] [--only fan-out] [--repeats 3] [--name laptop] [--cpu-prof directory]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startRedis } from '../scripts/brokers/index.ts';
import { redisCli } from '../scripts/brokers/redis.ts';
import { allCases, type Case, titleOf } from './versus/cases.ts';
import { type Comparison, type Load, type Outcome, type Timing, run } from './versus/comparison.ts';
import { describeMachine } from './versus/machine.ts';
import { buildLoadClient, carillon, centrifugo, type Deployment, type Program } from './versus/programs.ts';
import { type Report, toJson, toMarkdown } from './versus/report.ts';
import { Server } from './versus/server.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    repeats: { type: 'string' },
    name: { type: 'string' },
    'cpu-prof': { type: 'string' },
  },
});

const startedAt = new Date();
const machine = describeMachine();
const timing: Timing = {
  repeats: Number(flags.repeats ?? (flags.quick ? 1 : 3)),
  warmUpMs: flags.quick ? 300 : 500,
  durationMs: flags.quick ? 700 : 1_400,
  settleMs: flags.quick ? 500 : 1_000,
};
const client = buildLoadClient();
const [ours, theirs] = [carillon(flags['cpu-prof']), centrifugo()];
const cases = allCases(theirs.name !== 'Centrifugo', flags.quick ? 2_000 : 5_000).filter((work) =>
  titleOf(work).includes(flags.only),
);
const comparisons = cases.map((work): Comparison => ({ case: work, ours: [], theirs: [] }));

/** The programs of one pair of runs, and where their outcomes go. */
const programs: readonly { readonly program: Program; readonly outcomes: 'ours' | 'theirs' }[] = [
  { program: ours, outcomes: 'ours' },
  { program: theirs, outcomes: 'theirs' },
];

/** One pair of runs. Which server comes first alternates. */
async function pair(comparison: Comparison, runOn: (program: Program) => Promise<Outcome>): Promise<void> {
  const repeat = comparison.ours.length;
  for (const { program, outcomes } of repeat % 2 === 0 ? programs : programs.toReversed())
    comparison[outcomes].push(await runOn(program));
  process.stderr.write(`${titleOf(comparison.case)}: ${repeat + 1} of ${timing.repeats}\n`);
}

async function repeatedly(
  comparison: Comparison,
  runOn: (program: Program) => Promise<Outcome>,
): Promise<void> {
  for (let i = 0; i < timing.repeats; i++) await pair(comparison, runOn);
}

/** Each run uses a new server: freed memory and compiled code of an earlier run would distort the result. */
async function onFreshServers(comparison: Comparison, deployment: Deployment, load: Load): Promise<void> {
  await repeatedly(comparison, async (program) => {
    await using server = await Server.start(program, deployment);
    return await run(comparison.case, server, load);
  });
}

/** All runs use the same two servers. Each is idle during the runs of the other, and warm from the first run on. */
async function onSharedServers(
  group: readonly Comparison[],
  deployment: Deployment,
  load: Load,
): Promise<void> {
  if (group.length === 0) return;
  await using servers = new AsyncDisposableStack();
  const running = new Map<Program, Server>();
  for (const { program } of programs) {
    const server = servers.use(await Server.start(program, deployment));
    running.set(program, server);
    for (const work of warmUps(group)) await run(work, server, load);
  }
  for (const comparison of group)
    await repeatedly(comparison, (program) => run(comparison.case, running.get(program)!, load));
}

/** Runs each kind of work once: the short warm-up of a run is not enough for the compiler. */
function warmUps(group: readonly Comparison[]): readonly Case[] {
  const saturating = group.map(({ case: work }) => work).filter(({ mode }) => mode === 'saturate');
  return [...new Map(saturating.map((work) => [work.name, work])).values()];
}

function ofGroup(engine: Case['engine'], processes: number): readonly Comparison[] {
  return comparisons.filter(({ case: work }) => work.engine === engine && work.processes === processes);
}

async function inMemory(): Promise<void> {
  const [deployment, load] = [
    { redisUrl: undefined, processes: 1 },
    { client, timing, storePids: [] },
  ];
  const group = ofGroup('memory', 1);
  const isConnecting = ({ case: { mode } }: Comparison) => mode === 'connect';
  for (const comparison of group.filter(isConnecting)) await onFreshServers(comparison, deployment, load);
  await onSharedServers(
    group.filter((comparison) => !isConnecting(comparison)),
    deployment,
    load,
  );
}

async function overRedis(): Promise<void> {
  const groups = [1, 2].map((processes) => ({ processes, group: ofGroup('redis', processes) }));
  if (groups.every(({ group }) => group.length === 0)) return;
  await using redis = await startRedis();
  const pid = Number(/process_id:(\d+)/.exec(await redisCli(redis.url, 'INFO', 'server'))?.[1]);
  const load = { client, timing, storePids: [pid] };
  for (const { processes, group } of groups)
    await onSharedServers(group, { redisUrl: redis.url, processes }, load);
}

function keep(report: Report): void {
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const name = `${startedAt.toISOString().slice(0, 10)}-${flags.name ?? (flags.quick ? 'quick' : 'full')}`;
  writeFileSync(join(directory, `${name}.md`), `${toMarkdown(report)}\n`);
  writeFileSync(join(directory, `${name}.json`), toJson(report));
}

await inMemory();
await overRedis();
const report: Report = {
  startedAt,
  seconds: (Date.now() - startedAt.getTime()) / 1000,
  repeats: timing.repeats,
  ours: `${ours.name} ${ours.version}`,
  theirs: `${theirs.name} ${theirs.version}`,
  machine,
  comparisons,
};
console.log(toMarkdown(report));
keep(report);
const hasFault = comparisons.some((comparison) =>
  [...comparison.ours, ...comparison.theirs].some((outcome) => 'fault' in outcome),
);
if (hasFault) process.exitCode = 1;
