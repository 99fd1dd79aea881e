/** Ten times as many subscribers should cost ten times as much. As many channels without publications should cost nothing. */
const MANY = 5_000;

/** The report of the load client about a run. Values that its mode does not measure are 0. */
export type Result = Readonly<
  Record<
    | 'seconds'
    | 'connections'
    | 'published'
    | 'deliveries'
    | 'serverCpuSeconds'
    | 'storeCpuSeconds'
    | 'clientCpuSeconds'
    | 'otherCpuSeconds'
    | 'latencyP50Ms'
    | 'latencyP99Ms'
    | 'residentBytes',
    number
  >
>;

/** The target of Carillon: a ratio to the other server, or an absolute value. */
export interface Goal {
  readonly of: 'ratio' | 'value';
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Metric {
  readonly name: string;
  readonly digits: number;
  readonly of: (result: Result) => number;
  readonly goal: Goal | undefined;
}

interface Work {
  readonly name: string;
  readonly mode: 'saturate' | 'rate' | 'connect';
  readonly flags: readonly string[];
  /** Factor for the duration. Work that leaves the servers mostly idle needs a longer run. */
  readonly stretch?: number;
  readonly metrics: readonly Metric[];
}

export interface Case extends Work {
  readonly engine: 'memory' | 'redis';
  readonly processes: number;
  readonly isKept: boolean;
}

const metric = (name: string, digits: number, of: Metric['of'], goal?: Goal): Metric => ({
  name,
  digits,
  of,
  goal,
});
const atLeast = (ratio: number): Goal => ({ of: 'ratio', atLeast: ratio });
const atMost = (ratio: number): Goal => ({ of: 'ratio', atMost: ratio });

const rate = ({ deliveries, seconds }: Result): number => deliveries / seconds;
const cpu = ({ serverCpuSeconds, deliveries }: Result): number => (serverCpuSeconds * 1e6) / deliveries;
const storeCpu = ({ storeCpuSeconds, published }: Result): number => (storeCpuSeconds * 1e6) / published;
const p50 = ({ latencyP50Ms }: Result): number => latencyP50Ms;
const p99 = ({ latencyP99Ms }: Result): number => latencyP99Ms;

const fanOut = (subscribers: number, rateGoal: Goal, cpuGoal?: Goal): Work => ({
  name: `fan-out to ${subscribers.toLocaleString('en')}`,
  mode: 'saturate',
  flags: [`-subscribers=${subscribers}`, '-publishers=16', '-window=16'],
  metrics: [
    metric('deliveries/s', 0, rate, rateGoal),
    metric('server CPU µs per delivery', 2, cpu, cpuGoal),
    metric('p50 ms', 1, p50),
    metric('p99 ms', 1, p99),
  ],
});

const oneToOne = (bystanders: number, rateGoal: Goal, cpuGoal?: Goal): Work => ({
  name: `one to one${bystanders > 0 ? ` beside ${bystanders.toLocaleString('en')} channels` : ''}`,
  mode: 'saturate',
  flags: ['-subscribers=1', `-bystanders=${bystanders}`, '-publishers=16', '-window=1000'],
  metrics: [
    metric('publications/s', 0, rate, rateGoal),
    metric('server CPU µs per publication', 1, cpu, cpuGoal),
  ],
});

const steady = (p99Goal: Goal): Work => ({
  name: '100 publications/s to 500',
  mode: 'rate',
  flags: ['-subscribers=500', '-sampled=500', '-publishers=8', '-rate=100'],
  stretch: 1.5,
  metrics: [
    metric('p50 ms', 2, p50),
    metric('p99 ms', 2, p99, p99Goal),
    metric('server CPU µs per delivery', 2, cpu),
  ],
});

const connectClients = (connections: number): Work => ({
  name: `${connections.toLocaleString('en')} clients arrive and stay`,
  mode: 'connect',
  flags: [`-subscribers=${connections}`],
  metrics: [
    metric('connections/s', 0, ({ connections: count, seconds }) => count / seconds),
    metric(
      'server CPU µs per connection',
      0,
      ({ serverCpuSeconds, connections: count }) => (serverCpuSeconds * 1e6) / count,
    ),
    metric(
      'resident KB per idle connection',
      1,
      ({ residentBytes, connections: count }) => residentBytes / count / 1024,
      {
        of: 'value',
        atMost: 10,
      },
    ),
  ],
});

/**
 * Returns all cases, grouped by the configuration of the servers.
 *
 * @param isLibrary whether the other server is the bare library. Centrifugo takes 1.4 times as long where the request costs
 *   more than the deliveries
 */
export function allCases(isLibrary: boolean, connections: number): readonly Case[] {
  const [share, cost] = isLibrary ? [0.7, 1.4] : [1, 1];
  const alone = { engine: 'memory', processes: 1 } as const;
  const cases: Case[] = [];
  for (const isKept of [false, true]) cases.push({ ...connectClients(connections), ...alone, isKept });
  cases.push(
    { ...fanOut(500, atLeast(2), atMost(0.5)), ...alone, isKept: false },
    { ...fanOut(500, atLeast(1)), ...alone, isKept: true },
    { ...fanOut(MANY, atLeast(2), atMost(0.5)), ...alone, isKept: false },
    { ...oneToOne(0, atLeast(share), atMost(cost)), ...alone, isKept: false },
    { ...oneToOne(0, atLeast(share)), ...alone, isKept: true },
    { ...oneToOne(MANY, atLeast(share), atMost(cost)), ...alone, isKept: false },
    { ...steady(atMost(0.5)), ...alone, isKept: false },
    { ...steady(atMost(1)), ...alone, isKept: true },
  );
  for (const processes of [1, 2])
    for (const work of [fanOut(500, atLeast(1)), oneToOne(0, atLeast(share)), steady(atMost(1))])
      for (const isKept of [false, true])
        cases.push({ ...withStore(work), engine: 'redis', processes, isKept });
  return cases;
}

function withStore(work: Work): Work {
  return { ...work, metrics: [...work.metrics, metric('Redis CPU µs per publication', 1, storeCpu)] };
}

export function titleOf({ name, engine, processes, isKept }: Case): string {
  const where =
    engine === 'memory' ? 'memory' : `Redis, ${processes === 1 ? 'one process' : `${processes} processes`}`;
  return `${name}, ${where}${isKept ? ', history' : ''}`;
}

export function meets(
  { of, atLeast: low = 0, atMost: high = Infinity }: Goal,
  ratio: number,
  value: number,
): boolean {
  const figure = of === 'ratio' ? ratio : value;
  return figure >= low && figure <= high;
}
