import { type Goal, meets, type Metric, type Result, titleOf } from './cases.ts';
import { type Comparison, figuresOf, type Outcome } from './comparison.ts';
import type { Machine } from './machine.ts';

export interface Report {
  readonly startedAt: Date;
  readonly seconds: number;
  readonly repeats: number;
  readonly ours: string;
  readonly theirs: string;
  readonly machine: Machine;
  readonly comparisons: readonly Comparison[];
}

export function toMarkdown(report: Report): string {
  const { startedAt, seconds, repeats, ours, theirs, machine, comparisons } = report;
  return [
    `# ${ours} compared with ${theirs}`,
    `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s, ${repeats === 1 ? 'one pair' : `median of ${repeats} pairs`} of runs. Each ratio is the value of Carillon divided by that of the other server in the same pair.`,
    [
      `- ${machine.cores} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.kernel}`,
      `- Node ${machine.node}, ${machine.go}, Redis ${machine.redis}`,
      `- load average at the start: ${machine.loadAverage}`,
      `- in a run the load client took ${shares(comparisons, (result) => result.clientCpuSeconds)}`,
      `- and processes that have no part in it ${shares(comparisons, (result) => result.otherCpuSeconds)}`,
    ].join('\n'),
    table(comparisons),
    ...faults(comparisons),
  ].join('\n\n');
}

/** All runs, for other evaluations. */
export function toJson({ comparisons, ...report }: Report): string {
  const cases = comparisons.map(({ case: work, ours, theirs }) => ({ title: titleOf(work), ours, theirs }));
  return `${JSON.stringify({ ...report, cases }, undefined, 2)}\n`;
}

/** Fractions of a core: the median over all runs, and the maximum. */
function shares(comparisons: readonly Comparison[], of: (result: Result) => number): string {
  const sorted = comparisons
    .flatMap(({ ours, theirs }) => [...ours, ...theirs])
    .filter((outcome) => 'result' in outcome)
    .map(({ result }) => of(result) / result.seconds)
    .toSorted((a, b) => a - b);
  const percent = (share = 0) => `${Math.round(share * 100)} %`;
  return `${percent(sorted[sorted.length >> 1])} of a core (at most ${percent(sorted.at(-1))})`;
}

function table(comparisons: readonly Comparison[]): string {
  const rows = comparisons.flatMap((comparison) =>
    comparison.case.metrics.map((metric, i) =>
      [i === 0 ? titleOf(comparison.case) : '', metric.name, ...cells(comparison, metric)].join(' | '),
    ),
  );
  const head = [
    'case | | Carillon | Centrifugo | ratio | goal | met',
    '--- | --- | ---: | ---: | ---: | ---: | ---',
  ];
  return [...head, ...rows].map((row) => `| ${row} |`).join('\n');
}

function cells(comparison: Comparison, metric: Metric): readonly string[] {
  const { ours, theirs, ratio } = figuresOf(comparison, metric);
  const { goal, digits } = metric;
  const isMet = goal !== undefined && ours !== undefined && (goal.of === 'value' || ratio !== undefined);
  return [
    number(ours, digits),
    number(theirs, digits),
    number(ratio, 2),
    goal === undefined ? '' : words(goal),
    isMet ? (meets(goal, ratio ?? NaN, ours) ? 'yes' : '**no**') : '',
  ];
}

function words({ of, atLeast, atMost }: Goal): string {
  const limit = atLeast === undefined ? `≤ ${number(atMost, 2)}` : `≥ ${number(atLeast, 2)}`;
  return of === 'ratio' ? `${limit} ×` : limit;
}

function number(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value)
    ? '–'
    : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Failed runs, with the message of the load client. */
function faults(comparisons: readonly Comparison[]): readonly string[] {
  const lines = comparisons.flatMap(({ case: work, ours, theirs }) =>
    [['Carillon', ours] as const, ['Centrifugo', theirs] as const].flatMap(([name, outcomes]) =>
      [...new Set(outcomes.filter(hasFault).map(({ fault }) => fault))].map(
        (fault) => `- ${titleOf(work)}, ${name}: ${fault}`,
      ),
    ),
  );
  return lines.length === 0 ? [] : ['Runs that failed:', lines.join('\n')];
}

function hasFault(outcome: Outcome): outcome is { readonly fault: string } {
  return 'fault' in outcome;
}
